import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { signPathToken, verifyPathToken } from '../../contracts/index.ts'
import { checkLimits, DEFAULT_LIMITS } from '../../kernel/index.ts'
import {
  decideRotation,
  formatPathKeys,
  makePathKey,
  nextTransitionMs,
  type PathKeysFile,
  parsePathKeys,
  rotationTimesOf,
  toFirstFile,
  toPathKeyInfos,
  toPathKeys,
} from './path-keys.ts'

const secretOf = (seed: number): string => Buffer.alloc(32, seed).toString('base64url')
const keyOf = (id: string, seed = 1) => ({ id, secret: secretOf(seed) })
const TIMES = { leadMs: 10, overlapMs: 100 }

function rotate(file: PathKeysFile, nowMs: number, id: string, times = TIMES, keysMax = 16): PathKeysFile {
  const rotation = decideRotation(file, nowMs, { ...times, next: keyOf(id), keysMax })
  if (!rotation.ok) throw new Error(rotation.code)
  return rotation.file
}

/** Which key signs, and which verify, at a time. */
function inForce(file: PathKeysFile, nowMs: number): string {
  const { current, keys } = toPathKeys(file, nowMs)
  return `${current}: ${Object.keys(keys).join(' ')}`
}

describe('a rotation', () => {
  const first = toFirstFile(keyOf('k1'), 0)

  test('lets the new key verify at once, sign after a lead, and the old one verify for the overlap', () => {
    const file = rotate(first, 1_000, 'k2')
    const times: readonly (readonly [number, string])[] = [
      [1_000, 'k1: k1 k2'],
      [1_009, 'k1: k1 k2'],
      [1_010, 'k2: k1 k2'],
      [1_109, 'k2: k1 k2'],
      [1_110, 'k2: k2'],
      [9_999, 'k2: k2'],
    ]
    for (const [nowMs, expected] of times) expect([nowMs, inForce(file, nowMs)]).toEqual([nowMs, expected])
    expect([1_000, 1_010, 1_110].map((nowMs) => nextTransitionMs(file, nowMs))).toEqual([1_010, 1_110, null])
  })

  test('at once retires every key before it in the same moment', () => {
    const file = rotate(rotate(first, 1_000, 'k2'), 1_020, 'k3', { leadMs: 0, overlapMs: 0 })
    expect(inForce(file, 1_020)).toBe('k3: k3')
    expect(file.keys.map(({ id }) => id)).toEqual(['k3'])
  })

  test('while another is under way takes nothing back: a key stays retired when it was to be', () => {
    const file = rotate(rotate(first, 1_000, 'k2'), 1_005, 'k3')
    expect([1_005, 1_010, 1_015, 1_110, 1_115].map((nowMs) => inForce(file, nowMs))).toEqual([
      'k1: k1 k2 k3',
      'k2: k1 k2 k3',
      'k3: k1 k2 k3',
      'k3: k2 k3',
      'k3: k3',
    ])
  })

  test('keeps so many keys and no more, and leaves out those that are retired', () => {
    let file = first
    for (let at = 0; at < 50; at += 1) {
      file = rotate(file, at * 50, `n${at}`)
      expect(file.keys.length).toBeLessThan(6)
    }
    const full = rotate(rotate(first, 1_000, 'k2'), 1_000, 'k3')
    expect(decideRotation(full, 1_001, { ...TIMES, next: keyOf('k4'), keysMax: 3 })).toEqual({
      ok: false,
      code: 'too-many-path-keys',
    })
    expect(rotate(full, 1_001, 'k4', { leadMs: 0, overlapMs: 0 }, 3).keys.length).toBe(1)
  })

  test('never: no key signs, the signing key does not verify, or a token dies before its time', () => {
    const steps = fc.array(fc.nat(150), { maxLength: 12 })
    fc.assert(
      fc.property(steps, fc.nat(300), (gapsMs, afterMs) => {
        let file = first
        let nowMs = 0
        const signed: { token: string; untilMs: number }[] = []
        const look = (): void => {
          const keys = toPathKeys(file, nowMs)
          expect(Object.hasOwn(keys.keys, keys.current)).toBe(true)
          for (const { token, untilMs } of signed)
            if (nowMs <= untilMs) expect(verifyPathToken(keys, token, 0).ok).toBe(true)
          const claims = { expiresAtS: 9, prefix: '/t/', sessionId: 's', cell: 'a', network: null }
          signed.push({ token: signPathToken(keys, claims), untilMs: nowMs + TIMES.overlapMs - TIMES.leadMs })
        }
        for (const [at, gapMs] of gapsMs.entries()) {
          nowMs += gapMs
          look()
          file = rotate(file, nowMs, `n${at}`, TIMES, 99)
          look()
        }
        nowMs += afterMs
        look()
      }),
    )
  })

  test('with the limits’ own times outlasts the renewal of a token that the old key signed last', () => {
    expect(checkLimits(DEFAULT_LIMITS)).toEqual([])
    const { leadMs, overlapMs } = rotationTimesOf(DEFAULT_LIMITS)
    expect(overlapMs).toBe(DEFAULT_LIMITS.pathTokenTtlMs + DEFAULT_LIMITS.pathTokenGraceMs + leadMs)
  })
})

test('a clock that was set back leaves a key that signs', () => {
  const file = rotate(toFirstFile(keyOf('k1'), 1_000), 2_000, 'k2')
  expect(inForce(file, 0)).toBe('k1: k1 k2')
})

test('what is shown of keys has their state and no secret', () => {
  const file = rotate(toFirstFile(keyOf('k1', 41), 0), 1_000, 'k2')
  const statesAt = (nowMs: number) => toPathKeyInfos(file, nowMs).map(({ id, state }) => `${id} ${state}`)
  expect(statesAt(1_000)).toEqual(['k1 signs', 'k2 next'])
  expect(statesAt(1_010)).toEqual(['k1 verifies', 'k2 signs'])
  expect(statesAt(1_110)).toEqual(['k1 retired', 'k2 signs'])
  const shown = JSON.stringify(toPathKeyInfos(file, 1_000))
  for (const { secret } of file.keys) expect(shown).not.toContain(secret)
})

describe('a file', () => {
  const file = rotate(toFirstFile(makePathKey(), 5), 1_000, 'k2')

  test('is read back as it was written', () => expect(parsePathKeys(formatPathKeys(file))).toEqual(file))

  test('as an earlier version wrote it is read: its current key signs, the others verify', () => {
    const old = { current: 'k1', keys: { k2: secretOf(2), k1: secretOf(1), k0: secretOf(3) } }
    const read = parsePathKeys(`${JSON.stringify(old)}\n`)
    expect(read && toPathKeys(read, 1_000)).toEqual({ current: 'k1', keys: old.keys })
    expect(read && inForce(rotate(read, 1_000, 'k3'), 1_110)).toBe('k3: k3')
  })

  const [one] = toFirstFile(keyOf('k1'), 0).keys
  const junk: readonly unknown[] = [
    null,
    {},
    { keys: [] },
    { keys: [{ ...one, verifiesUntilMs: 5 }] },
    { keys: [one, one] },
    { keys: [{ ...one, secret: 'short' }] },
    { keys: [{ ...one, id: 'a~b' }] },
    { keys: [{ ...one, signsFromMs: null }] },
    { keys: [{ ...one, more: 1 }] },
    { current: 'gone', keys: { k1: secretOf(1) } },
    { current: 'k1', keys: { k1: 'short' } },
  ]
  test.each(junk)('%p is no such file', (value) => expect(parsePathKeys(JSON.stringify(value))).toBeNull())

  test('of any text is read or refused, never half understood', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parsePathKeys(text)).toBeNull()
      }),
    )
  })
})
