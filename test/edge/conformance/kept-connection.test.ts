import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { send, statusOf } from '../raw-client.ts'
import { openBed, toSteps } from './bed.ts'
import { control, type Lines } from './case.ts'
import { toFields } from './wire.ts'

/** What one request on a connection with many others is to get. */
type Turn = { readonly fields: Lines; readonly path: string; readonly status: number; readonly body: string }

const TURNS: readonly Turn[] = [
  { path: '/all', fields: [], status: 200, body: 'for all' },
  { path: '/all', fields: ['If-None-Match: "all"'], status: 304, body: '' },
  { path: '/all', fields: ['If-None-Match: "alls"'], status: 200, body: 'for all' },
  { path: '/all', fields: ['Range: bytes=0-2'], status: 206, body: 'for' },
  { path: '/all', fields: ['Range: bytes=4-6'], status: 206, body: 'all' },
  { path: '/all', fields: ['Range: bytes=90-'], status: 416, body: '' },
  { path: '/all', fields: ['Authorization: Bearer alice'], status: 200, body: 'for all' },
  { path: '/own', fields: ['Cookie: user=alice'], status: 200, body: 'own of alice' },
  { path: '/own', fields: ['Cookie: user=bob'], status: 200, body: 'own of bob' },
  { path: '/own', fields: [], status: 200, body: 'own of nobody' },
  { path: '/varied', fields: ['Cookie: user=alice'], status: 200, body: 'own of alice' },
  { path: '/varied', fields: ['Cookie: user=bob'], status: 200, body: 'own of bob' },
  { path: '/varied', fields: [], status: 200, body: 'own of nobody' },
]
const CONTROLS: Readonly<Record<string, ReturnType<typeof control>>> = {
  '/all': control('max-age=600', 'ETag: "all"'),
  '/own': control('private, max-age=600'),
  '/varied': control('max-age=600', 'Vary: Cookie'),
}

test('on one connection each request is answered by its own fields alone, in any order (RFC 9112, 9.3; RFC 9111, 4)', async () => {
  const bed = await openBed()
  bed.answerWith((seen) => {
    const path = seen.line.split(' ')[1] ?? ''
    const user = /user=(\w+)/.exec(toFields(seen).get('cookie')?.[0] ?? '')?.[1] ?? 'nobody'
    return toSteps({ ...CONTROLS[path], body: path === '/all' ? 'for all' : `own of ${user}` }, bed.nowMs())
  })
  await bed.ask({ path: '/all' })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...TURNS), { minLength: 2, maxLength: 12 }), async (turns) => {
      const text = turns.map(({ path, fields }) =>
        [`GET ${path} HTTP/1.1`, 'Host: edge.test', ...fields, '', ''].join('\r\n'),
      )
      const { answers } = await send(bed.edge.port, text.join(''), turns.length)
      expect(answers.map((answer) => [statusOf(answer), answer.body])).toEqual(
        turns.map(({ status, body }) => [status, body]),
      )
    }),
    { numRuns: 150 },
  )
})
