/**
 * A text of strangers for a terminal: control characters, which could move the cursor or rewrite what stands above, and
 * marks that turn the direction of writing are written out as `\u001b`. Tabs and line breaks stay where `lines` says so.
 */
export function toPrintable(text: string, { lines = false }: { lines?: boolean } = {}): string {
  return text.replace(UNSAFE, (found) =>
    lines && (found === '\n' || found === '\t')
      ? found
      : [...found].map((each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join(''),
  )
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
