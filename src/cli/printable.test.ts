import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { toPrintable } from './printable.ts'

test.each([
  ['plain ü 漢 😀', 'plain ü 漢 😀'],
  ['\u001b[2Jgone', '\\u001b[2Jgone'],
  ['a\nb', 'a\\u000ab'],
  ['\u202egpj.exe', '\\u202egpj.exe'],
  ['\u009b31m', '\\u009b31m'],
])('%j', (text, expected) => expect(toPrintable(text)).toBe(expected))

test('line breaks and tabs stay where lines are asked for; a carriage return never', () => {
  expect(toPrintable('a\n\tb\r', { lines: true })).toBe('a\n\tb\\u000d')
})

test('nothing that moves a cursor is left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be gone
      expect(/[\u0000-\u001f\u007f-\u009f]/.test(toPrintable(text))).toBe(false)
    }),
  )
})
