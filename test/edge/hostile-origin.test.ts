import { afterEach, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { Limits } from '../../src/kernel/index.ts'
import { type AttackBed, answer, OBJECT_BYTES_MAX, openAttackBed } from './bed.ts'
import { ask, send, statusOf } from './raw-client.ts'
import type { Seen, Step } from './raw-origin.ts'

const beds: AttackBed[] = []
afterEach(async () => {
  for (const bed of beds.splice(0)) await bed.close()
})

/** An origin that answers `/x` as given and everything else as it should. */
const open = async (attack: readonly Step[], limits: Partial<Limits> = {}): Promise<AttackBed> => {
  const script = ({ line }: Seen): readonly Step[] =>
    line.startsWith('GET /x ') ? attack : [answer(`for ${line}`, 'Cache-Control: no-store\r\n')]
  const bed = await openAttackBed(script, { limits })
  beds.push(bed)
  return bed
}
const REQUEST = 'GET /x HTTP/1.1\r\nHost: edge.test\r\n'
const checkInnocent = async ({ port }: AttackBed): Promise<void> => {
  for (let client = 0; client < 3; client++)
    expect((await ask(port, `/innocent-${client}`)).body).toBe(`for GET /innocent-${client} HTTP/1.1`)
}

const head = (fields: string): string => `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${fields}\r\n`
/** Heads that are none, or could be read as another: nothing of them reaches a client. */
const UNREADABLE: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  ['a bare CR in a value', [`${head('Content-Length: 2\r\nX: a\rEvil: b\r\n')}hi`]],
  ['a NUL in a value', [`${head('Content-Length: 2\r\nX: a\0b\r\n')}hi`]],
  ['a length and a coding', [`${head('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`]],
  ['two lengths that differ', [`${head('Content-Length: 2\r\nContent-Length: 3\r\n')}hi!`]],
  ['a length that is none', [`${head('Content-Length: 2x\r\n')}hi`]],
  ['a coding that is none', [`${head('Transfer-Encoding: evil\r\n')}hi`, 'end']],
  ['a field name with a space', [`${head('Content-Length: 2\r\nEvil : b\r\n')}hi`]],
  ['a status that is none', ['HTTP/1.1 999 Evil\r\nContent-Length: 0\r\n\r\n']],
  ['a status of two digits', ['HTTP/1.1 20 Evil\r\nContent-Length: 0\r\n\r\n']],
  ['no HTTP at all', ['evil evil evil\r\n\r\n', 'end']],
  [
    'protocols switched without being asked',
    ['HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: evil\r\n\r\n'],
  ],
  ['a head that is too large', [head(`X: ${'evil'.repeat(20_000)}\r\nContent-Length: 0\r\n`)]],
  ['a head that never ends', ['HTTP/1.1 200 OK\r\nX: ', { forever: 'evil'.repeat(1_000) }]],
  ['an end before the head', ['HTTP/1.1 200 OK\r\nEvil: ', 'end']],
  ['chunks that are none', [`${head('Transfer-Encoding: chunked\r\n')}zz\r\nevil\r\n`]],
]
test.each(UNREADABLE)('%s: one answer without it, or none that is whole, and nothing is kept', async (_, steps) => {
  const bed = await open(steps)
  for (let attempt = 0; attempt < 2; attempt++) {
    const { answers, all } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
    expect(answers.map(statusOf).filter((status) => status < 500)).toEqual([])
    expect(answers.length).toBeLessThanOrEqual(1)
    expect(all.toLowerCase()).not.toContain('evil')
  }
  await checkInnocent(bed)
})

test('a line within a value goes on as one line, or not at all', async () => {
  for (const split of ['X: a\r\n Evil: b\r\n', 'X: a\nEvil: b\r\n', 'X: a\r\n\tSet-Cookie: evil=1\r\n']) {
    const bed = await open([`${head(`Content-Length: 2\r\n${split}`)}hi`])
    const { all } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
    expect(all).not.toMatch(/^\s*(?:evil|set-cookie):/im)
    await checkInnocent(bed)
  }
})

test("two answers to one request: the second is nobody's", async () => {
  const evil = answer('evil', 'Cache-Control: max-age=60\r\n')
  const bed = await open([answer('good', 'Cache-Control: max-age=60\r\n') + evil + evil])
  const { answers, all } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
  expect(answers.map(({ body }) => body)).toEqual(['good'])
  expect(all).not.toContain('evil')
  await checkInnocent(bed)
})

test("content beyond its length is nobody's either", async () => {
  const bed = await open([`${head('Content-Length: 4\r\n')}good${answer('evil')}`])
  const { answers, all } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
  expect(answers.map(({ body }) => body)).toEqual(['good'])
  expect(all).not.toContain('evil')
  await checkInnocent(bed)
})

test('content that a 204 may not have is not taken for the next answer', async () => {
  const bed = await open([`HTTP/1.1 204 No Content\r\n\r\n${answer('evil')}`])
  const { answers, all } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
  expect(answers.map(statusOf)).toEqual([204])
  expect(all).not.toContain('evil')
  await checkInnocent(bed)
})

test('interim answers are not the answer', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </evil>\r\n\r\n'
  const bed = await open(['HTTP/1.1 100 Continue\r\n\r\n', hints, hints, answer('good')])
  const { answers, rest } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
  expect({ bodies: answers.map(({ body }) => body), rest }).toEqual({ bodies: ['good'], rest: '' })
  await checkInnocent(bed)
})

test('a 304 to what asked for no condition is a fault of the origin, and not asked for again and again', async () => {
  const bed = await open(['HTTP/1.1 304 Not Modified\r\nETag: "evil"\r\n\r\n'])
  for (const condition of ['', 'If-None-Match: "mine"\r\n', 'Range: bytes=0-3\r\n']) {
    const before = bed.origin.seen.length
    const { answers } = await send(bed.port, `${REQUEST}${condition}Connection: close\r\n\r\n`)
    expect(answers.map(statusOf)).toEqual([502])
    expect(bed.origin.seen.length - before).toBeLessThanOrEqual(2)
  }
  await checkInnocent(bed)
})

test('a head that does not come in time: a fault of the origin, told within the limit', async () => {
  const bed = await open(['HTTP/1.1 200 OK\r\nEvil: '], { edgeOriginHeadTimeoutMs: 200 })
  const { answers } = await send(bed.port, `${REQUEST}Connection: close\r\n\r\n`)
  expect(answers.map(statusOf)).toEqual([504])
  await checkInnocent(bed)
})

test('content that stops: the answer is cut within the limit, and not kept', async () => {
  const bed = await open([`${head('Content-Length: 10\r\n')}half`], { edgeOriginSilenceMs: 200 })
  for (let attempt = 1; attempt <= 2; attempt++) {
    const { answers, closed } = await send(bed.port, `${REQUEST}\r\n`)
    expect({ whole: answers.length, closed }).toEqual({ whole: 0, closed: true })
  }
  expect(bed.origin.seen.length).toBe(2)
  await checkInnocent(bed)
})

const CUT: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  ['shorter than its length', [`${head('Content-Length: 10\r\n')}half`, 'end']],
  ['without its last chunk', [`${head('Transfer-Encoding: chunked\r\n')}4\r\nhalf\r\n`, 'end']],
]
test.each(CUT)('content %s is never taken for whole, and is not kept', async (_, steps) => {
  const bed = await open(steps)
  for (let attempt = 1; attempt <= 2; attempt++) {
    const { answers, closed } = await send(bed.port, `${REQUEST}\r\n`)
    expect({ whole: answers.filter((each) => statusOf(each) === 200).length, closed }).toEqual({
      whole: 0,
      closed: true,
    })
    expect(bed.origin.seen.filter(({ line }) => line.startsWith('GET /x ')).length).toBeGreaterThanOrEqual(attempt)
  }
  await checkInnocent(bed)
})

test('content that never ends: others are served meanwhile, and it ends with the last who wants it', async () => {
  const piece = 'a'.repeat(16_384)
  const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`
  const bed = await open([head('Transfer-Encoding: chunked\r\n'), { forever: chunk }])
  const reader = connect(bed.port, '127.0.0.1')
  let heard = 0
  const enough = Promise.withResolvers<void>()
  reader.on('data', ({ length }) => {
    heard += length
    if (heard > 2 * OBJECT_BYTES_MAX) enough.resolve()
  })
  reader.on('error', enough.reject)
  reader.write(`${REQUEST}\r\n`)
  await enough.promise
  expect(bed.cachedBytes()).toBeLessThanOrEqual(OBJECT_BYTES_MAX)
  await checkInnocent(bed)
  reader.destroy()
  // Nobody is left: the exchange is given up.
  const deadlineMs = Date.now() + 5_000
  const isReceiving = (): boolean => bed.origin.writingForever() > 0
  while (isReceiving() && Date.now() < deadlineMs) await Bun.sleep(10)
  expect(isReceiving()).toBe(false)
})
