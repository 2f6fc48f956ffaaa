/** Unsent questions, kept in the browser so that a reload of the page does not lose them. */

const NEW = "new"; // in the place of a conversation's id while there is none
let noted = 0;

/**
 * Store a question until the server has it.
 * @param {string | null} conversation
 * @param {any[]} content
 * @returns {() => void} forgets it
 */
export function noteUnsent(conversation, content) {
  const name = `${prefixOf(conversation)}${Date.now()}:${noted++}`;
  try {
    sessionStorage.setItem(name, JSON.stringify(content));
  } catch {
    // It is longer than what a browser keeps: it lasts as long as the page.
  }
  return () => sessionStorage.removeItem(name);
}

/**
 * Return the questions that an earlier load of the page could not send, oldest first, and forget them.
 * @param {string | null} conversation
 * @returns {any[][]}
 */
export function takeUnsent(conversation) {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(prefixOf(conversation))).sort();
  return names.map((name) => {
    const content = JSON.parse(sessionStorage.getItem(name) ?? "[]");
    sessionStorage.removeItem(name);
    return content;
  });
}

/** @param {string | null} conversation */
function prefixOf(conversation) {
  return `unsent:${conversation ?? NEW}:`;
}
