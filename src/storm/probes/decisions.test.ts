import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type PathKeys, signPathToken, titleOf, toTitlePrefix, verifyPathToken } from '../../contracts/index.ts'
import { type Got, judgeAnswer, type Trouble } from './answer.ts'
import { type AttackedFile, listAttacks } from './attacks.ts'
import { beginsAsMedia, checkInit, checkSegment, listBoxes } from './boxes.ts'
import { decideListed, type ListedFacts } from './listed-plays.ts'
import { choosePosition, decideResume } from './resume-exact.ts'
import { parseAnswer } from './send-raw.ts'
import { leaksMedia } from './signature-needed.ts'
import { boxes } from './testing/fake-platform.ts'
import { servesWithdrawn } from './withdrawn-stops.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const answered = (status: number, bytes: Uint8Array = new Uint8Array(), beganMs = 0) =>
  ({ kind: 'answered', status, bytes, beganMs }) as const

test.each([
  ['200 as it must be', answered(200, text('x')), 'fine', null],
  ['200 with something else', answered(200, text('')), 'refused', 'a: 200 with nothing'],
  ['404', answered(404, text('{"code":"title-not-found"}')), 'refused', 'a: 404 title-not-found'],
  ['a redirection', answered(302), 'refused', 'a: 302'],
  ['429', answered(429), 'passing', 'a: 429'],
  ['503', answered(503, text('{"code":"log-silent"}')), 'passing', 'a: 503 log-silent'],
  ['nothing', { kind: 'silent', why: 'no answer' } as const, 'passing', 'a: no answer'],
])('%s is judged', (_, answer, kind, why) => {
  const got = judgeAnswer(answer, 'a', (bytes) =>
    bytes.length > 0 ? { ok: true, value: 1 } : { ok: false, why: 'nothing' },
  )
  expect([got.kind, 'why' in got ? got.why : null]).toEqual([kind as 'fine', why])
})

describe('a listed title that does not play', () => {
  const refused: Trouble = { kind: 'refused', code: 'title-not-found', why: '' }
  const passing: Trouble = { kind: 'passing', code: null, why: '' }
  const facts: ListedFacts = { trouble: refused, beingMade: false, home: 'not-asked', onlyThisOne: 'not-asked' }
  test.each<[string, Partial<ListedFacts>, boolean]>([
    ['refused and still listed: a violation', { home: 'lists' }, true],
    ['refused and not listed any more: none', { home: 'gone' }, false],
    ['refused while home is silent: none', { home: 'silent' }, false],
    ['its address has expired: none', { home: 'lists', trouble: { ...refused, code: 'token-expired' } }, false],
    ['fails while others play: a violation', { trouble: passing, onlyThisOne: true }, true],
    ['fails as all do: none', { trouble: passing, onlyThisOne: false }, false],
    [
      'a segment is being made: none',
      { trouble: { ...passing, code: 'segment-not-ready' }, onlyThisOne: true, beingMade: true },
      false,
    ],
    [
      'a segment of a finished title is not there: a violation',
      { trouble: { ...passing, code: 'segment-not-ready' }, onlyThisOne: true },
      true,
    ],
  ])('%s', (_, part, expected) => {
    expect(decideListed({ ...facts, ...part })).toBe(expected)
  })
})

test.each([
  ['media before the time is over', 4_900, 4_950, 200, 24, false],
  ['media asked for after it', 5_001, 5_020, 200, 24, true],
  ['media asked for before it and on its way', 4_990, 5_400, 200, 24, false],
  ['media asked for before it that came much later', 4_000, 6_001, 206, 24, true],
  ['a refusal', 6_000, 6_001, 410, 24, false],
  ['nothing at all', 6_000, 6_001, 204, 0, false],
])('of a withdrawn title: %s', (_, sentMs, beganMs, status, bytes, expected) => {
  const answer = answered(status, new Uint8Array(bytes))
  const limits = { withdrawnWithinMs: 5_000, transferMs: 1_000 }
  expect(servesWithdrawn({ sentMs, beganMs, answer }, limits)).toBe(expected)
})

describe('a position', () => {
  const fine = (value: number | null): Got<number | null> => ({ kind: 'fine', value })
  const passing: Got<number | null> = { kind: 'passing', code: null, why: '' }
  const gone: Got<number | null> = { kind: 'refused', code: 'title-withdrawn', why: '' }
  test.each<[string, [number, Got<number | null>][], string]>([
    [
      'is settled when it is there',
      [
        [5, fine(null)],
        [9, fine(7)],
      ],
      'settled',
    ],
    [
      'is waited for',
      [
        [5, fine(null)],
        [99, fine(6)],
      ],
      'waiting',
    ],
    [
      'is wrong when it does not come',
      [
        [5, fine(null)],
        [100, fine(6)],
      ],
      'wrong',
    ],
    [
      'has its time again after silence',
      [
        [5, fine(null)],
        [90, passing],
        [100, fine(6)],
      ],
      'waiting',
    ],
    [
      'is wrong after silence, too',
      [
        [5, passing],
        [100, fine(6)],
        [200, fine(6)],
      ],
      'wrong',
    ],
    ['is of no interest once its title is gone', [[5, gone]], 'gone'],
  ])('%s', (_, looks, expected) => {
    let waiting = { positionMs: 7, answeringSinceMs: 0 as number | null }
    let state = ''
    for (const [nowMs, got] of looks) {
      const seen = decideResume(waiting, got, nowMs, 100)
      waiting = { ...seen.next }
      state = seen.state
    }
    expect(state).toBe(expected)
  })

  test('is odd and in the first 90% of the film', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 12 * 3_600_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (durationMs, value) => {
          const positionMs = choosePosition(() => value, durationMs)
          expect([positionMs % 2, positionMs >= 1, positionMs < durationMs * 0.9]).toEqual([1, true, true])
        },
      ),
    )
  })
})

describe('attacks', () => {
  const keys: PathKeys = { current: 'k', keys: { k: Buffer.alloc(32, 1).toString('base64url') } }
  const sign = (titleId: string, expiresAtS: number) =>
    signPathToken(keys, { prefix: toTitlePrefix(titleId), sessionId: 's', cell: 'a', expiresAtS, network: null })
  const [title, other] = ['0000000000000001', '0000000000000002']
  const attacked: AttackedFile = {
    token: sign(title, 2_000),
    titleId: title,
    file: 'v240/3.m4s',
    other: { token: sign(other, 2_000), titleId: other },
    expiredToken: sign(title, 10),
    objectKey: `titles/${title}/v240/x/3.m4s`,
  }

  test('carry no token that is good for the title, each another path', () => {
    const attacks = listAttacks(attacked)
    expect(new Set(attacks.map(({ path }) => path)).size).toBe(attacks.length)
    expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length)
    const good = attacks.filter(({ path }) =>
      path.split('/').some((part) => {
        const check = verifyPathToken(keys, part, 1_000_000)
        return check.ok && titleOf(check.token) === title
      }),
    )
    expect(good).toEqual([])
  })

  test('are what they say', () => {
    const codeOf = (name: string): string => {
      const path = listAttacks(attacked).find((attack) => attack.name === name)?.path ?? ''
      const check = verifyPathToken(keys, path.split('/')[2] ?? '', 1_000_000)
      return check.ok ? String(titleOf(check.token)) : check.code
    }
    expect(codeOf('a signature with one character changed')).toBe('bad-signature')
    expect(codeOf('claims with a later expiry')).toBe('bad-signature')
    expect(codeOf('an expired token')).toBe('expired')
    expect(codeOf('a token of another title')).toBe(other)
  })

  test.each([
    ['media', answered(200, boxes(['moof', 'mdat'])), true],
    ['a part of it', answered(206, boxes(['ftyp']).subarray(0, 12)), true],
    ['the watch page', answered(200, text('<!doctype html><html></html>')), false],
    ['a refusal', answered(403, boxes(['moof'])), false],
    ['nothing', { kind: 'silent', why: '' } as const, false],
  ])('that are answered with %s', (_, answer, expected) => {
    expect(leaksMedia(answer)).toBe(expected)
  })
})

describe('boxes', () => {
  test('of a header and of a segment are told', () => {
    expect(checkInit(boxes(['ftyp', 'moov']))).toBeNull()
    expect(checkInit(boxes(['ftyp']))).toContain('without moov')
    expect(checkSegment(boxes(['styp', 'moof', 'mdat']))).toBeNull()
    expect(checkSegment(new Uint8Array())).toContain('without moof and mdat')
    expect(checkSegment(text('<!doctype html>'))).toContain('no whole ISO BMFF boxes')
    expect(beginsAsMedia(text('{"code":"x"}'))).toBe(false)
  })

  test('cut anywhere but between two are not whole', () => {
    const whole = boxes(['moof', 'mdat'])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: whole.length - 1 }), (length) => {
        expect(listBoxes(whole.subarray(0, length)) !== null).toBe(length === 24)
      }),
    )
  })

  test('of any bytes are told or refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void listBoxes(bytes)))
  })
})

test.each([
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 200, 'abc'],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n', 200, 'abc\r\n0\r\n\r\n'],
  ['nothing', 'HTTP/1.1 403 Forbidden\r\n\r\n', 403, ''],
])('a raw answer with %s', (_, raw, status, body) => {
  expect(parseAnswer(text(raw), 5)).toEqual({ kind: 'answered', status, bytes: text(body), beganMs: 5 })
})

test('a raw answer without a whole head is none', () => {
  expect(parseAnswer(text('HTTP/1.1 200 OK\r\nContent-'), 0)).toBeNull()
})
