import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { systemClock } from '../../kernel/index.ts'
import { createMemoryTier, type MemoryTier } from '../memory/index.ts'
import { createSharedFetches, type Joined, type StartFetch } from '../origin/index.ts'
import { textOf as readText } from '../origin/testing/read-content.ts'
import { parsePurgeAddress } from './purge-address.ts'
import { applyPurge, createPurgeable } from './purgeable.ts'

type Head = { readonly tags: readonly string[] }

const BYTES = Buffer.from('0123456789')
const HOSTS = ['a.example', 'b.example:8080', 'a-b.example', 'a.exampl']

function open(bytesMax = 64 * 1024 * 1024) {
  const tier = createMemoryTier<string>({ bytesMax })
  const fetches = createSharedFetches<Head>({ clock: systemClock })
  const purgeable = createPurgeable({ tier, fetches, tagsOf: ({ tags }) => tags })
  const put = (key: string, tags: readonly string[] = []): void => {
    const entry = tier.set(key, { meta: key, metaBytes: 0, tags, sizeBytes: BYTES.byteLength })
    if (entry) tier.setSlice(entry, 0, BYTES)
  }
  return { tier, fetches, purgeable, put }
}

const keys = [
  ...HOSTS.flatMap((host) => ['/', '/f/1', '/f/2', '/f', '/g?x=1'].map((path) => `http://${host}${path}`)),
  'http://a.example/f/1\nen',
]
const cases: readonly (readonly ['url' | 'prefix' | 'tag', string, readonly string[]])[] = [
  ['url', 'http://a.example/f/1', ['http://a.example/f/1', 'http://a.example/f/1\nen']],
  ['url', 'HTTPS://A.Example:443/%66/1', ['http://a.example/f/1', 'http://a.example/f/1\nen']],
  ['url', 'http://b.example:8080/f', ['http://b.example:8080/f']],
  ['url', 'http://b.example/f', []],
  ['url', '/g?x=1', HOSTS.map((host) => `http://${host}/g?x=1`)],
  ['url', '/g', []],
  ['prefix', '/f/', keys.filter((key) => key.includes('/f/'))],
  ['prefix', 'http://a.example/f', keys.filter((key) => key.startsWith('http://a.example/f'))],
  ['prefix', 'http://a.example/', keys.filter((key) => key.startsWith('http://a.example/'))],
  ['prefix', '/', keys],
  ['tag', 'http://a.exampl/', ['http://a.exampl/']],
  ['tag', 'none', []],
  ['url', '/f/../f/1', []],
]
test.each(cases)('%s %s drops what it names on the hosts it names, and nothing else', (scope, value, dropped) => {
  const { tier, purgeable, put } = open()
  for (const key of keys) put(key, [key])
  expect(applyPurge(purgeable, { scope, value })).toBe(dropped.length)
  expect(keys.filter((key) => tier.peek(key) === undefined)).toEqual(keys.filter((key) => dropped.includes(key)))
})

test("where no client's host is in a key, an address of any host means it", () => {
  const { tier, fetches, put } = open()
  const purgeable = createPurgeable({ tier, fetches, tagsOf: ({ tags }: Head) => tags, ignoresHosts: true })
  for (const path of ['/v/t1/1', '/v/t1/2', '/v/t2/1', '/art/t1/p']) put(`http://media${path}`)
  const orders = [
    ['url', 'https://films.example/v/t1/1', 1],
    ['prefix', 'http://films.example:8080/art/', 1],
    ['prefix', '/v/t1/', 1],
    ['url', 'http://films.example/t2/1', 0],
    ['prefix', 'http://films.example/', 1],
  ] as const
  for (const [scope, value, dropped] of orders) expect(applyPurge(purgeable, { scope, value })).toBe(dropped)
})

test('more hosts than it looks up one by one: a purge for every host drops everything rather than too little', () => {
  const { tier, purgeable, put } = open()
  for (let host = 0; host < 5_000; host++) put(`http://h${host}.example/a`)
  expect(purgeable.purgeUrl('/a')).toBe(5_000)
  expect(tier.statistics().entries).toBe(0)
})

test('100 of 100,000 objects take milliseconds', () => {
  const { tier, purgeable, put } = open(1024 * 1024 * 1024)
  for (let index = 0; index < 100_000; index++)
    put(`http://${HOSTS[index % 4]}/${Math.floor(index / 100)}/${index}`, [`t${Math.floor(index / 100)}`])
  const took = (act: () => number): number => {
    const startedMs = performance.now()
    expect(act()).toBe(100)
    return performance.now() - startedMs
  }
  const times = [
    took(() => purgeable.purgePrefix('/7/')),
    took(() => purgeable.purgeTag('t8')),
    took(() => Array.from({ length: 100 }, (_, at) => purgeable.purgeUrl(`/9/${900 + at}`)).reduce((a, b) => a + b)),
  ]
  expect(tier.statistics().entries).toBe(99_700)
  for (const timeMs of times) expect(timeMs).toBeLessThan(50)
})

const KEY = 'http://a.example/film'
const ways: readonly (readonly [string, 'url' | 'prefix' | 'tag', string])[] = [
  ['its address', 'url', KEY],
  ['its path', 'url', '/film'],
  ['a prefix', 'prefix', 'http://a.example/'],
  ['a prefix of every host', 'prefix', '/fi'],
  ['a tag', 'tag', 'films'],
]

/** An origin whose answers the test gives piece by piece. */
function byHand(tier: MemoryTier<string>, tags: readonly string[] = ['films']) {
  const head = Promise.withResolvers<void>()
  let body: ReadableStreamDefaultController<Uint8Array> | undefined
  const start: StartFetch<Head> = async () => {
    const ticket = tier.ticket(KEY)
    await head.promise
    const entry = tier.setIfValid(ticket, KEY, { meta: KEY, metaBytes: 0, tags, sizeBytes: null })
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body = controller
      },
    })
    let at = 0
    const store = entry && {
      append: (chunk: Uint8Array) => tier.setSlice(entry, at++, chunk.slice()),
      end: () => void tier.setSize(entry, BYTES.byteLength),
      fail: () => void (tier.peek(KEY) === entry && tier.purge(KEY)),
    }
    return { ok: true, head: { tags }, body: stream, share: true, store: store ?? null, reread: null }
  }
  return {
    start,
    answer: () => head.resolve(),
    give: () => body?.enqueue(BYTES.slice()),
    end: () => body?.close(),
  }
}
const never = new AbortController().signal
const textOf = (joined: Joined<Head>): Promise<string> =>
  joined.ok ? readText(joined.body) : Promise.resolve(joined.code)

for (const [name, scope, value] of ways)
  for (const phase of ['before its head', 'in its body'] as const)
    test(`purged by ${name} ${phase}: nothing is stored, its readers read on, the next request fetches anew`, async () => {
      const { tier, fetches, purgeable } = open()
      const [first, second] = [byHand(tier), byHand(tier)]
      const joining = fetches.join(`GET ${KEY}\n`, first.start, never)
      const beside = fetches.join(`GET ${KEY}\n`, first.start, never)
      if (phase === 'in its body') {
        first.answer()
        await joining
      }
      applyPurge(purgeable, { scope, value })
      const next = fetches.join(`GET ${KEY}\n`, second.start, never)
      first.answer()
      const [one, two] = [await joining, await beside]
      first.give()
      first.end()
      expect([await textOf(one), await textOf(two)]).toEqual([String(BYTES), String(BYTES)])
      expect(tier.peek(KEY)).toBeUndefined()

      second.answer()
      const joined = await next
      expect(joined.ok && joined.role).toBe('first')
      second.give()
      second.end()
      expect(await textOf(joined)).toBe(String(BYTES))
      const stored = tier.peek(KEY)
      expect(stored && Buffer.from(tier.slice(stored, 0) ?? []).toString()).toBe(String(BYTES))
    })

test('what is fetched of something else goes on: it is joined and stored', async () => {
  const { tier, fetches, purgeable } = open()
  const origin = byHand(tier, ['series'])
  const joining = fetches.join(`${KEY}\n`, origin.start, never)
  origin.answer()
  const first = await joining
  for (const order of [
    { scope: 'url', value: '/other' },
    { scope: 'prefix', value: 'http://b.example/' },
    { scope: 'tag', value: 'films' },
  ] as const)
    applyPurge(purgeable, order)
  const second = await fetches.join(`${KEY}\n`, origin.start, never)
  expect(second.ok && second.role).toBe('collapsed')
  origin.give()
  origin.end()
  expect([await textOf(first), await textOf(second)]).toEqual([String(BYTES), String(BYTES)])
  expect(tier.peek(KEY)).toBeDefined()
})

test('any text as an address is refused or has the form of a key, and is never thrown over', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.webPath(), fc.string({ unit: 'binary' })), (value) => {
      const address = parsePurgeAddress('url', value)
      expect(address === null || address.rest.startsWith('/')).toBe(true)
      for (const host of address?.hosts ?? []) expect(host).toBe(host.toLowerCase())
    }),
  )
})
