import { expect, test } from 'bun:test'
import { firstSentence } from './sentence.ts'

test.each([
  ['', ''],
  ['No full stop', 'No full stop'],
  ['A rabbit wakes. Then it begins.', 'A rabbit wakes.'],
  ['Version 2.5 of a film. More.', 'Version 2.5 of a film.'],
  ['Two\n  lines here! And more', 'Two lines here!'],
])('%p begins with %p', (text, expected) => {
  expect(firstSentence(text)).toBe(expected)
})
