import { expect, test } from 'bun:test'
import { readPreferences, writePreferences } from './preferences.ts'

function open(kept?: string) {
  const map = new Map(kept === undefined ? [] : [['tentpole.preferences', kept]])
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
  }
}

test('a choice is kept beside the others', () => {
  const storage = open()
  writePreferences(storage, { volume: 0.5 })
  writePreferences(storage, { captionsLanguage: 'de' })
  expect(readPreferences(storage)).toEqual({ volume: 0.5, muted: false, captionsLanguage: 'de' })
  writePreferences(storage, { captionsLanguage: null })
  expect(readPreferences(storage).captionsLanguage).toBeNull()
})

test.each(['{', 'null', '{"volume":9,"muted":"yes","captionsLanguage":1}'])('%p is as good as nothing', (kept) => {
  expect(readPreferences(open(kept))).toEqual({ volume: 1, muted: false, captionsLanguage: null })
})
