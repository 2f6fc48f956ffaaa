/** Formatting amounts of money. */

/**
 * Return dollars: the cents of larger amounts, more digits of small ones.
 * @param {string | null | undefined} amount a decimal string; null where the price is not known
 */
export function dollars(amount) {
  if (amount === null || amount === undefined) return "cost unknown";
  const value = Number(amount);
  if (value === 0) return "$0";
  if (value < 0.0001) return "< $0.0001";
  return `$${value.toFixed(value < 0.1 ? 4 : 2)}`;
}

/** @param {any} usage */
export function tokens({ input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens }) {
  const all = [input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens];
  return `${all.reduce((sum, each) => sum + (each ?? 0), 0).toLocaleString("en")} tokens`;
}
