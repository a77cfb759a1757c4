import { expect, test } from 'bun:test'
import { announce } from './announce.ts'
import { NO_TRACKS } from './engine.ts'
import { FIRST_STATE } from './machine.ts'

test('the state, the captions and the quality are said, and only when there is something to say', () => {
  expect(announce({ state: FIRST_STATE, tracks: NO_TRACKS })).toBe('The film is starting.')
  const captions = [{ id: 7, label: 'English', language: 'en' }]
  const tracks = { ...NO_TRACKS, captions, chosenCaptions: 7, chosenHeight: 480 }
  expect(announce({ state: { ...FIRST_STATE, phase: 'paused' }, tracks })).toBe(
    'Paused. Captions: English. Quality: 480p.',
  )
  expect(announce({ state: { ...FIRST_STATE, phase: 'failed' }, tracks: NO_TRACKS })).toBe('')
})
