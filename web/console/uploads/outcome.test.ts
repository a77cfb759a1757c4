import { expect, test } from 'bun:test'
import { describeOutcome } from './outcome.ts'

test('an uploaded film is followed to what becomes of it', () => {
  expect(describeOutcome(undefined).note).toStartWith('Uploaded')
  expect(describeOutcome({ state: 'processing', reason: null }).bad).toBe(false)
  expect(describeOutcome({ state: 'published', reason: null }).note).toBe('Published.')
  expect(describeOutcome({ state: 'failed', reason: 'No picture in it.' })).toEqual({
    note: 'No picture in it.',
    bad: true,
  })
})
