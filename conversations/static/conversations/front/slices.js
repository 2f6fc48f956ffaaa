/** Doing long work in small slices, between which the browser draws and reacts. */

const SLICE = 8; // milliseconds: half of what a frame has
const UNDRAWN = 100; // milliseconds after which what is done in a hidden tab, where nothing is drawn, goes on

/**
 * Resolve when the next frame is about to be drawn; in a hidden tab after a moment.
 *
 * Between two frames the page does not know yet how far it has been scrolled: what is put into it then can move what is
 * seen. On a busy machine a frame may take any time, so there is no limit while the page is seen.
 * @returns {Promise<void>}
 */
export function nextFrame() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => resolve());
    setTimeout(() => document.hidden && resolve(), UNDRAWN);
  });
}

/**
 * Map a function over many values, without blocking the browser for long.
 * @template T, U
 * @param {T[]} things
 * @param {(thing: T) => U} make
 * @returns {Promise<U[]>}
 */
export async function mapInSlices(things, make) {
  const made = [];
  let end = performance.now() + SLICE;
  for (const thing of things) {
    if (performance.now() > end) {
      await new Promise((resolve) => setTimeout(resolve));
      end = performance.now() + SLICE;
    }
    made.push(make(thing));
  }
  return made;
}
