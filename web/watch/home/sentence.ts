/** The first sentence of a text, for a hero that has room for one. */
export function firstSentence(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim()
  return /^.*?[.!?…](?=\s+\p{Lu}|$)/u.exec(flat)?.[0] ?? flat
}
