import { expect, test } from 'bun:test'
import { UsageError } from '../usage.ts'
import { parseCaptions } from './publish.ts'

const cases: [string, string, string | null, string | null][] = [
  ['film.srt', 'film.srt', null, null],
  ['film.srt:de', 'film.srt', 'de', null],
  ['a b/film.en.vtt:pt-BR:Português (Brasil)', 'a b/film.en.vtt', 'pt-BR', 'Português (Brasil)'],
]

for (const [text, file, language, label] of cases)
  test(`--captions ${text}`, () => expect(parseCaptions(text)).toEqual({ file, language, label }))

for (const text of ['', ':de'])
  test(`--captions ${JSON.stringify(text)} is refused`, () => expect(() => parseCaptions(text)).toThrow(UsageError))
