import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Seen } from '../raw-origin.ts'
import { type Bed, openBed, toSteps } from './bed.ts'
import { control, type Lines, type OriginAnswer } from './case.ts'
import { toFields } from './wire.ts'

/** An origin that says who asked, and holds its answer back until it is let go. */
function holdBack(bed: Bed, origin: OriginAnswer): { release(): void; asked(): number } {
  const released = Promise.withResolvers<void>()
  let count = 0
  bed.answerWith((seen) => {
    if (seen.line.includes('/beside')) return toSteps({ fields: ['Cache-Control: no-store'] }, bed.nowMs())
    const body = `${toFields(seen).get('x-user')?.[0] ?? 'nobody'} ${++count}`
    return [{ after: released.promise, steps: toSteps({ ...origin, body }, bed.nowMs()) }]
  })
  return { release: released.resolve, asked: () => count }
}

const untilAsked = async (times: number, asked: () => number): Promise<void> => {
  for (let turn = 0; asked() < times; turn++) {
    if (turn > 2_000) throw new Error(`expected the origin to be asked ${times} times, it was ${asked()} times`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Many at once, each with fields of its own. */
async function crowd(origin: OriginAnswer, fieldsOf: (place: number) => Lines, size = 12) {
  const bed = await openBed()
  const held = holdBack(bed, origin)
  const first = bed.ask({ fields: ['X-User: 0', ...fieldsOf(0)] })
  await untilAsked(1, held.asked)
  const others = Array.from({ length: size - 1 }, (_, place) =>
    bed.ask({ fields: [`X-User: ${place + 1}`, ...fieldsOf(place + 1)] }),
  )
  // A round trip later the others have come in; one that had not would be answered alike.
  await bed.ask({ path: '/beside' })
  held.release()
  const heard = await Promise.all([first, ...others])
  await bed.settle()
  return { bodies: heard.map(({ body }) => body.split(' ', 1)[0] ?? ''), asked: held.asked(), heard }
}

const everybodysOwn = (size: number): string[] => Array.from({ length: size }, (_, place) => String(place))
const NOTHING = (): Lines => []

const shared: readonly (readonly [
  clause: string,
  name: string,
  origin: OriginAnswer,
  fieldsOf: (place: number) => Lines,
])[] = [
  ['9111, 4', 'max-age', control('max-age=60'), NOTHING],
  ['9111, 4', 'a heuristic', { fields: ['Last-Modified: Mon, 01 Jun 2020 12:00:00 GMT'] }, NOTHING],
  ['9111, 4.2.2', 'a 404', { status: 404 }, NOTHING],
  ['9111, 4.1', 'Vary, all the same', control('max-age=60', 'Vary: Foo'), () => ['Foo: 1']],
  [
    '9110, 12.5.3',
    'Vary, the same once normalised',
    control('max-age=60', 'Vary: Accept-Encoding'),
    (place) => [`Accept-Encoding: ${place % 2 ? 'gzip, br' : 'br,gzip'}`],
  ],
  [
    '9111, 3.5',
    'Authorization and public',
    control('public, max-age=60'),
    (place) => [`Authorization: Bearer ${place}`],
  ],
]
test.each(shared)('one fetch for all (RFC %s): %s', async (_, __, origin, fieldsOf) => {
  const { bodies, asked } = await crowd(origin, fieldsOf)
  expect([[...new Set(bodies)], asked]).toEqual([['0'], 1])
})

const unshared: readonly (readonly [
  clause: string,
  name: string,
  origin: OriginAnswer,
  fieldsOf: (place: number) => Lines,
])[] = [
  ['9111, 5.2.2.7', 'private', control('private, max-age=60'), NOTHING],
  ['9111, 5.2.2.5', 'no-store', control('no-store'), NOTHING],
  ['9111, 5.2.1.5', 'no-store in requests', control('max-age=60'), () => ['Cache-Control: no-store']],
  ['9111, 3.5', 'Authorization', control('max-age=60'), (place) => [`Authorization: Bearer ${place}`]],
  ['9111, 7.3', 'Set-Cookie', control('max-age=60', 'Set-Cookie: s=1'), NOTHING],
  ['9111, 4.1', 'Vary: *', control('max-age=60', 'Vary: *'), NOTHING],
  ['9111, 4.1', 'Vary, each another', control('max-age=60', 'Vary: Cookie'), (place) => [`Cookie: u=${place}`]],
  ['9213, 2.1', 'CDN-Cache-Control: private', control('max-age=60', 'CDN-Cache-Control: private'), NOTHING],
  ['9110, 15.2', 'a 500', { status: 500 }, NOTHING],
]
test.each(unshared)('each his own, also of those who waited (RFC %s): %s', async (_, __, origin, fieldsOf) => {
  const { bodies, asked } = await crowd(origin, fieldsOf)
  expect([bodies, asked]).toEqual([everybodysOwn(12), 12])
})

test('who has Authorization may take what was made without it, never the other way (RFC 9111, 3.5)', async () => {
  const { bodies } = await crowd(control('max-age=60'), (place) => (place === 0 ? ['Authorization: Bearer a'] : []))
  expect(bodies.slice(1).filter((user) => user === '0')).toEqual([])
})

test('a fetch that fails, fails for all who wait for it, once (RFC 9111, 4)', async () => {
  const bed = await openBed()
  const held = holdBack(bed, { framing: 'cut', ...control('max-age=60') })
  const all = Array.from({ length: 8 }, () => bed.ask({}))
  await untilAsked(1, held.asked)
  held.release()
  const ended = await Promise.allSettled(all)
  expect(ended.map(({ status }) => status)).toEqual(Array(8).fill('rejected'))
  expect(bed.edge.statistics().bytes).toBe(0)
})

test('what was asked for before a change answers nobody who asks after it (RFC 9111, 4.4)', async () => {
  const bed = await openBed()
  const held = holdBack(bed, control('max-age=60'))
  const before = bed.ask({ fields: ['X-User: before'] })
  await untilAsked(1, held.asked)
  bed.answerWith(() => toSteps({ body: 'changed' }, bed.nowMs()))
  await bed.ask({ method: 'POST' })
  bed.answerWith(() => toSteps({ ...control('max-age=60'), body: 'after' }, bed.nowMs()))
  expect((await bed.ask({})).body).toBe('after')
  held.release()
  expect((await before).body).toStartWith('before')
  await bed.settle()
  expect((await bed.ask({})).body).toBe('after')
})

type Step = {
  readonly user: 'alice' | 'bob'
  readonly together: boolean
  readonly afterS: number
  readonly extra: Lines
  readonly asCookie: boolean
  readonly origin: OriginAnswer & { readonly said: string; readonly vary: string }
}

const directives = fc.subarray(
  [
    'public',
    'private',
    'no-store',
    'no-cache',
    'must-revalidate',
    'max-age=5',
    's-maxage=5',
    'stale-while-revalidate=60',
    'stale-if-error=60',
    'must-understand',
    'immutable',
    'private="x-a"',
  ],
  { maxLength: 4 },
)
const anOrigin = fc
  .record({
    said: directives.map((all) => all.join(', ')),
    vary: fc.constantFrom('', '', '', 'Cookie', 'Authorization', 'Accept', '*'),
    cookie: fc.boolean(),
    tagged: fc.boolean(),
    status: fc.constantFrom(200, 200, 200, 203, 404, 500, 503),
    framing: fc.constantFrom<'length' | 'chunked'>('length', 'chunked'),
  })
  .map(({ said, vary, cookie, tagged, status, framing }) => ({
    said,
    vary,
    status,
    framing,
    fields: [
      ...(said ? [`Cache-Control: ${said}`] : []),
      ...(vary ? [`Vary: ${vary}`] : []),
      ...(cookie ? ['Set-Cookie: from=@'] : []),
      ...(tagged ? ['ETag: "@"'] : ['Last-Modified: Mon, 01 Jun 2020 12:00:00 GMT']),
    ],
  }))
const aStep: fc.Arbitrary<Step> = fc.record({
  user: fc.constantFrom<'alice' | 'bob'>('alice', 'bob'),
  together: fc.boolean(),
  afterS: fc.constantFrom(0, 0, 0, 3, 6, 70),
  extra: fc.constantFrom<Lines>(
    [],
    [],
    ['Cache-Control: no-cache'],
    ['Cache-Control: max-stale'],
    ['Cache-Control: no-store'],
    ['Range: bytes=0-2'],
    ['If-None-Match: "alice"'],
  ),
  asCookie: fc.boolean(),
  origin: anOrigin,
})

/** Written against the RFCs and apart from the policy: whether an answer made for one may be given to another. */
function mayBeShared(made: { readonly step: Step }): boolean {
  const { said, vary, status } = { status: 200, ...made.step.origin }
  const says = (name: string): boolean =>
    said.split(', ').some((one) => one === name || (one.startsWith(`${name}=`) && name !== 'private'))
  const isExplicit = says('public') || says('max-age') || says('s-maxage')
  if (says('private') || vary === '*') return false
  if (says('no-store') && !says('must-understand')) return false
  if (made.step.extra.includes('Cache-Control: no-store')) return false
  if (!made.step.asCookie && !says('public') && !says('s-maxage') && !says('must-revalidate')) return false
  if (made.step.asCookie && !isExplicit) return false
  if (vary === (made.step.asCookie ? 'Cookie' : 'Authorization')) return false
  if (made.step.origin.fields?.some((line) => line.startsWith('Set-Cookie')) && !says('public') && !says('s-maxage'))
    return false
  return isExplicit || [200, 203, 404].includes(status)
}

const identify = ({ user, asCookie }: Step): string =>
  asCookie ? `Cookie: user=${user}` : `Authorization: Bearer ${user}`

test('whatever an origin says and two users ask: nobody is given what was made for the other alone (RFC 9111, 3 and 4)', async () => {
  const bed = await openBed()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { minLength: 2, maxLength: 7 }), async (steps) => {
      const path = `/run-${++run}`
      const made = new Map<string, { readonly step: Step }>()
      const pending: Promise<void>[] = []
      bed.answerWith((seen: Seen) => {
        const fields = toFields(seen)
        const step = steps[Number(fields.get('x-step')?.[0])]
        if (!step) return ['end']
        const name = `${step.user}-${made.size}`
        made.set(name, { step })
        if (fields.has('if-none-match') && step.afterS === 6)
          return toSteps(
            {
              ...step.origin,
              status: 304,
              body: '',
              fields: (step.origin.fields ?? []).map((line) =>
                line.startsWith('ETag') ? `ETag: ${fields.get('if-none-match')?.[0]}` : line.replace('@', name),
              ),
            },
            bed.nowMs(),
          )
        return toSteps(
          {
            ...step.origin,
            body: `${name} for ${step.user} alone or for all`,
            fields: step.origin.fields?.map((line) => line.replace('@', name)) ?? [],
          },
          bed.nowMs(),
        )
      })
      for (const [place, step] of steps.entries()) {
        bed.passSeconds(step.afterS)
        const asked = bed.ask({ path, fields: [identify(step), `X-Step: ${place}`, ...step.extra] }).then((heard) => {
          for (const name of [
            /^(?:alice|bob)-\d+/.exec(heard.body)?.[0],
            heard.fields.get('set-cookie')?.[0]?.slice(5),
            // Of a part too short to be told by its bytes.
            heard.fields.get('etag')?.[0]?.slice(1, -1),
          ]) {
            const origin = name === undefined ? undefined : made.get(name)
            if (!name || !origin || name.startsWith(step.user)) continue
            expect([name, 'given to', step.user, mayBeShared(origin)]).toEqual([name, 'given to', step.user, true])
          }
        })
        if (step.together) pending.push(asked)
        else await asked
      }
      await Promise.all(pending)
    }),
    { numRuns: 120 },
  )
})
