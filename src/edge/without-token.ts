/**
 * `<payload>.<mac>`, wherever a client may have put it. It is looked for only where a run of such characters begins: else
 * a long path without a dot would cost the square of its length.
 */
const PATH_TOKEN = /(?<![\w-])[\w-]{16,}(?:\.[\w-]{43,})+/g

/** A path as the cache sees it: the token's segment becomes a star. What is logged of a request goes through here. */
export function withoutToken(path: string): string {
  if (!path.startsWith('/v/')) return hideTokens(path)
  const end = path.indexOf('/', 3)
  return end < 0 ? '/v/*' : `/v/*${hideTokens(path.slice(end))}`
}

/** Any text without what looks like a path token: an error may say what it failed at. */
export function hideTokens(text: string): string {
  return text.replace(PATH_TOKEN, '*')
}
