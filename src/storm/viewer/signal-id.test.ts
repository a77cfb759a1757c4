import { expect, test } from 'bun:test'
import { z } from 'zod'
import { draw, seedOf } from '../random.ts'
import { toSignalId, toSignalIdSource } from './signal-id.ts'

test('ids are UUIDs of version 7 that sort by time, whatever the session is called', () => {
  for (const sessionId of ['0199a1a0-1234-7000-8000-0123456789ab', 'session-5', '']) {
    const source = toSignalIdSource(sessionId)
    const ids = [0, 1, 2, 4_095].map((sequence) =>
      toSignalId(source, { sequence, chance: draw(sequence).value, sinceMs: sequence * 1_000 }),
    )
    for (const id of ids) expect(z.uuidv7().safeParse(id).success).toBe(true)
    expect(ids.toSorted()).toEqual(ids)
  }
})

test('no two signals of a crowd share one, nor do two storms of one seed', () => {
  const ids = new Set<string>()
  for (const storm of ['7000', '7001']) {
    for (let viewer = 0; viewer < 20_000; viewer += 1) {
      const tail = viewer.toString(16).padStart(12, '0')
      const source = toSignalIdSource(`0199a1a0-1234-${storm}-8000-${tail}`)
      for (const sequence of [0, 1]) {
        const chance = draw(seedOf(seedOf(1, viewer), sequence)).value
        ids.add(toSignalId(source, { sequence, chance, sinceMs: 0 }))
      }
    }
  }
  expect(ids.size).toBe(80_000)
})
