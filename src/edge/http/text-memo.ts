export type TextMemoLimits = {
  readonly entriesMax: number /** Longer texts are parsed anew each time. */
  readonly charsMax: number
}

/**
 * Remembers what a pure parser made of a text. Two generations instead of a list in order of use: a hit is one lookup, and
 * a client that sends ever new texts drops only what was not used since the last change of generation.
 */
export function createTextMemo<T>(parse: (text: string) => T, limits: TextMemoLimits): (text: string) => T {
  const generationMax = Math.max(1, Math.floor(limits.entriesMax / 2))
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  const keep = (text: string, value: T): T => {
    if (young.size >= generationMax) {
      old = young
      young = new Map()
    }
    young.set(text, value)
    return value
  }
  return (text) => {
    if (text.length > limits.charsMax) return parse(text)
    if (young.has(text)) return young.get(text) as T // `has` says it is there; undefined may be a value of T
    if (old.has(text)) return keep(text, old.get(text) as T) // likewise
    return keep(text, parse(text))
  }
}
