/** Files on their way to the server, with progress where the browser tells it. */

import { ConnectionLost, responseError } from "./errors.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {{onProgress?: (share: number) => void, signal?: AbortSignal}} UploadOptions `share` is from 0 to 1 */

/**
 * Upload a file and return its attachment; the same bytes again are the same attachment.
 * @param {Http} http
 * @param {File} file
 * @param {UploadOptions} [options]
 * @returns {Promise<any>}
 */
export async function upload(http, file, { onProgress, signal } = {}) {
  const body = new FormData();
  body.append("file", file, file.name);
  if (!onProgress || typeof XMLHttpRequest === "undefined") {
    const attachment = await http.request("POST", "attachments/", { body, signal, repeatable: true });
    onProgress?.(1);
    return attachment;
  }
  return http.persist("POST", () => sendWithProgress(http, body, onProgress, signal), { signal, repeatable: true });
}

/**
 * @param {Http} http
 * @param {FormData} body
 * @param {(share: number) => void} onProgress
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
function sendWithProgress(http, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open("POST", http.url("attachments/"));
    request.withCredentials = http.credentials === "include";
    for (const [name, value] of Object.entries(http.headers("POST"))) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(refused(request));
    };
    request.onerror = () => reject(new ConnectionLost("The file could not be sent: the server can't be reached."));
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
