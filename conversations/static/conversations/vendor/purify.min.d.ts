/** DOMPurify sets a global; it exports nothing to a module. */
export {};
