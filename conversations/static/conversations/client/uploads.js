/** Uploading files, with progress if the browser reports it. */

import { ConnectionLost, responseError } from "./errors.js";

/** @typedef {import("./http.js").Http} Http */
/**
 * @typedef {object} UploadOptions
 * @property {(share: number) => void} [onProgress] told how much has been sent, from 0 to 1
 * @property {AbortSignal} [signal]
 * @property {string} [path] where to; "me/import/" for an archive
 */

const ATTACHMENTS = "attachments/";

/**
 * Upload a file and return what the server answers: an attachment, or with the path "me/import/" an import. The same
 * bytes again are the same attachment.
 * @param {Http} http
 * @param {File} file
 * @param {UploadOptions} [options]
 * @returns {Promise<any>}
 */
export async function upload(http, file, { onProgress, signal, path = ATTACHMENTS } = {}) {
  const body = new FormData();
  body.append("file", file, file.name);
  if (!onProgress || typeof XMLHttpRequest === "undefined") {
    const answer = await http.request("POST", path, { body, signal, repeatable: path === ATTACHMENTS });
    onProgress?.(1);
    return answer;
  }
  const send = () => sendWithProgress(http, path, body, onProgress, signal);
  return http.persist("POST", send, { signal, repeatable: path === ATTACHMENTS });
}

/**
 * @param {Http} http
 * @param {string} path
 * @param {FormData} body
 * @param {(share: number) => void} onProgress
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
function sendWithProgress(http, path, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open("POST", http.url(path));
    request.withCredentials = http.credentials === "include";
    for (const [name, value] of Object.entries(http.headers("POST"))) request.setRequestHeader(name, value);
    const lost = () => reject(new ConnectionLost("The file could not be sent: the server can't be reached."));
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onload = () => {
      if (request.status < 200) lost(); // browsers parse a truncated status line
      else if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(refused(request));
    };
    request.onerror = lost;
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** @param {XMLHttpRequest} request */
function refused(request) {
  const headers = { get: (/** @type {string} */ name) => request.getResponseHeader(name) };
  return responseError({ status: request.status, headers }, request.responseText);
}
