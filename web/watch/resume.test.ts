import { expect, test } from 'bun:test'
import {
  decideResume,
  formatLeft,
  recallPosition,
  rememberPosition,
  watchedShare,
  withLocalPosition,
} from './resume.ts'

const known = { serverMs: 60_000, local: null, durationMs: 600_000, nowMs: 1_000_000 }

test.each([
  ['the server’s figure', known, 60_000],
  ['a fresh local figure', { ...known, local: { positionMs: 64_000, atMs: 999_000 } }, 64_000],
  ['a fresh local figure that went back', { ...known, local: { positionMs: 5_000, atMs: 999_000 } }, 5_000],
  ['an old local figure loses', { ...known, local: { positionMs: 64_000, atMs: 900_000 } }, 60_000],
  ['a local figure from the future loses', { ...known, local: { positionMs: 64_000, atMs: 2_000_000 } }, 60_000],
  ['nothing known', { ...known, serverMs: null }, 0],
  ['a glance', { ...known, serverMs: 900 }, 0],
  ['the credits', { ...known, serverMs: 596_000 }, 0],
  ['past the end', { ...known, serverMs: 900_000 }, 0],
] as const)('resumes at %s', (_, input, expected) => {
  expect(decideResume(input)).toBe(expected)
})

test('a share is between nothing and all', () => {
  expect(watchedShare({ resumeMs: null, durationMs: 10 })).toBeNull()
  expect(watchedShare({ resumeMs: 0, durationMs: 10 })).toBeNull()
  expect(watchedShare({ resumeMs: 5, durationMs: 10 })).toBe(0.5)
  expect(watchedShare({ resumeMs: 50, durationMs: 10 })).toBe(1)
  expect(formatLeft({ resumeMs: 60_000, durationMs: 180_000 })).toBe('2 min left')
})

test('a position is recalled as remembered, and junk is none', () => {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as Storage
  expect(recallPosition(storage, 't')).toBeNull()
  rememberPosition(storage, 't', { positionMs: 7, atMs: 9 })
  expect(recallPosition(storage, 't')).toEqual({ positionMs: 7, atMs: 9 })
  for (const junk of ['{', '[]', '{"positionMs":"7"}']) {
    kept.set('tentpole.position.t', junk)
    expect(recallPosition(storage, 't')).toBeNull()
  }
})

test('a title page knows at once what was just watched, and that it is over', () => {
  const title = { name: 'x', resumeMs: 60_000, durationMs: 600_000 }
  const local = (positionMs: number) => ({ positionMs, atMs: 1_000 })
  expect(withLocalPosition(title, null, 2_000)).toEqual(title)
  expect(withLocalPosition(title, local(70_000), 2_000).resumeMs).toBe(70_000)
  expect(withLocalPosition(title, local(599_000), 2_000).resumeMs).toBeNull()
})
