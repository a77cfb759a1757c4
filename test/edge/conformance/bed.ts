import { afterEach, expect, test } from 'bun:test'
import { createProxyEdge, type ProxyEdge } from '../../../src/edge/index.ts'
import { type Limits, silentLogger } from '../../../src/kernel/index.ts'
import { type RawOrigin, type Seen, type Step, startRawOrigin } from '../raw-origin.ts'
import { BEGAN_MS, type Case, type Exchange, type Expected, type OriginAnswer } from './case.ts'
import { exchange, type Heard, toFields } from './wire.ts'

export type Bed = {
  readonly edge: ProxyEdge
  readonly origin: RawOrigin
  nowMs(): number
  passSeconds(seconds: number): void
  /** From now on the origin answers so. */
  answerWith(script: (seen: Seen) => readonly Step[]): void
  ask(request: Pick<Exchange, 'method' | 'path' | 'fields' | 'body'>): Promise<Heard>
  /** Until nothing is under way behind the answers. */
  settle(): Promise<void>
  close(): Promise<void>
}

const beds: Bed[] = []
afterEach(async () => {
  for (const bed of beds.splice(0)) await bed.close()
})

/** The edge in front of an origin that speaks as it is told, on a clock that stands still unless the test moves it. */
export async function openBed(limits: Partial<Limits> = {}): Promise<Bed> {
  let aheadMs = 0
  let script = (_: Seen): readonly Step[] => ['end']
  const origin = await startRawOrigin((seen) => script(seen))
  const clock = { nowMs: () => BEGAN_MS + aheadMs, elapsedMs: () => performance.now() + aheadMs }
  const edge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [origin.url],
    limits: { edgeCacheBytes: 4 * 1024 * 1024, ...limits },
    logger: silentLogger,
    clock,
    policy: { jitterShare: 0 },
  })
  const bed: Bed = {
    edge,
    origin,
    nowMs: clock.nowMs,
    passSeconds(seconds) {
      aheadMs += seconds * 1_000
    },
    answerWith(next) {
      script = next
    },
    ask: ({ method = 'GET', path = '/a', fields = [], body }) => {
      const host = fields.some((line) => /^host:/i.test(line)) ? [] : ['Host: edge.test']
      const length = body === undefined ? [] : [`Content-Length: ${body.length}`]
      const head = [`${method} ${path} HTTP/1.1`, ...host, ...fields, ...length].join('\r\n')
      return exchange(edge.port, method, `${head}\r\n\r\n${body ?? ''}`)
    },
    async settle() {
      for (let turn = 0; edge.statistics().fetches > 0; turn++) {
        if (turn > 2_000) throw new Error('expected all fetches to end, some did not')
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    },
    async close() {
      origin.close()
      await edge.close({ drainMs: 100 })
    },
  }
  beds.push(bed)
  return bed
}

/** What an origin writes for an answer, at this time. */
export function toSteps(answer: OriginAnswer, nowMs: number, method = 'GET'): readonly Step[] {
  const { status = 200, fields = [], dateless = false, body = '', framing = 'length', interim = '' } = answer
  const own = dateless || fields.some((line) => /^date:/i.test(line)) ? [] : [`Date: ${new Date(nowMs).toUTCString()}`]
  const bodiless = method === 'HEAD' || status === 204 || status === 304
  const length = framing === 'cut' ? body.length + 1 : body.length
  const isSaid = fields.some((line) => /^content-length:/i.test(line)) || (bodiless && method !== 'HEAD')
  const framed = framing === 'chunked' ? ['Transfer-Encoding: chunked'] : [`Content-Length: ${length}`]
  const lines = [`HTTP/1.1 ${status} X`, ...own, ...fields, ...(framing === 'close' || isSaid ? [] : framed)]
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
  const content = framing === 'chunked' ? `${chunk}0\r\n\r\n` : body
  const text = `${interim}${lines.join('\r\n')}\r\n\r\n${bodiless ? '' : content}`
  return framing === 'close' || framing === 'cut' ? [text, 'end'] : [text]
}

/** Runs each as a test of its own. */
export function runCases(cases: readonly Case[]): void {
  for (const one of cases) test(`${one.name} (RFC ${one.clause})`, () => runCase(one))
}

async function runCase({ exchanges, limits }: Case): Promise<void> {
  const bed = await openBed(limits)
  const bodies: string[] = []
  let last = 0
  for (const [place, one] of exchanges.entries()) {
    bed.passSeconds(one.afterS ?? 0)
    const before = bed.origin.seen.length
    const answers = toAnswers(one, place)
    bed.answerWith(({ line }) => {
      const answer = answers[bed.origin.seen.length - before - 1]
      if (one.origin === 'down') return ['end']
      return answer ? toSteps(answer, bed.nowMs(), line.split(' ', 1)[0]) : UNASKED
    })
    const heard = await bed.ask(one)
    await bed.settle()
    bodies[place] = answers.at(-1)?.body ?? ''
    if (one.from !== undefined) last = one.from
    else if (answers.length > 0) last = place
    check({ one, place, heard, seen: bed.origin.seen.slice(before), asked: answers.length, body: bodies[last] ?? '' })
  }
}

const UNASKED = toSteps(
  { status: 500, body: 'the origin must not be asked', fields: ['Cache-Control: no-store'] },
  BEGAN_MS,
)

function toAnswers({ origin }: Exchange, place: number): OriginAnswer[] {
  if (origin === undefined || origin === 'down') return []
  const answers: readonly OriginAnswer[] = 'length' in origin ? origin : [origin]
  return answers.map((answer) => ({ body: `answer ${place}`, ...answer }))
}

function check(done: {
  readonly one: Exchange
  readonly place: number
  readonly heard: Heard
  readonly seen: readonly Seen[]
  readonly asked: number
  readonly body: string
}): void {
  const { one, place, heard, seen, asked, body } = done
  const where = `exchange ${place}`
  if (one.origin !== 'down') expect([where, 'times asked', seen.length]).toEqual([where, 'times asked', asked])
  const bodiless = one.method === 'HEAD' || [204, 304].includes(one.status ?? 200)
  const text = one.text === null ? heard.body : (one.text ?? (bodiless ? '' : body))
  expect([where, heard.status, heard.body]).toEqual([where, one.status ?? 200, text])
  checkFields(where, heard.fields, one.got ?? {})
  const request = seen.at(-1)
  checkFields(where, toFields(request ?? { head: '' }), one.sent ?? {})
  if (one.sentMethod) expect([where, request?.line.split(' ', 1)[0]]).toEqual([where, one.sentMethod])
  if (one.cacheStatus) {
    const own = heard.fields.get('cache-status')?.join(', ').split(', ').at(-1)
    expect([where, own]).toEqual([where, `tentpole; ${one.cacheStatus}`])
  }
}

function checkFields(where: string, fields: ReadonlyMap<string, readonly string[]>, expected: Expected): void {
  for (const [name, value] of Object.entries(expected))
    expect([where, name, fields.get(name)?.join(' | ') ?? null]).toEqual([where, name, value])
}
