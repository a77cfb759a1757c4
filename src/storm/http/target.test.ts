import { expect, test } from 'bun:test'
import { parseTarget, resolveTarget } from './target.ts'

test.each([
  ['http://localhost:8080', { host: 'localhost', address: null, port: 8080, tls: false, hostHeader: 'localhost:8080' }],
  ['http://127.0.0.1', { host: '127.0.0.1', address: '127.0.0.1', port: 80, tls: false, hostHeader: '127.0.0.1' }],
  ['https://Watch.Example.org/', { host: 'watch.example.org', port: 443, tls: true, hostHeader: 'watch.example.org' }],
  ['http://[::1]:9000', { host: '::1', address: '::1', port: 9000, hostHeader: '[::1]:9000' }],
])('%s is a target', (url, expected) => {
  expect(parseTarget(url)).toMatchObject(expected)
})

test.each([
  ['nowhere', 'no URL'],
  ['ftp://host', 'the scheme ftp:'],
  ['http://user:secret@host', 'a user name'],
  ['http://host/watch', 'a path'],
  ['http://host?x=1', 'a query'],
])('%s is none', (url, got) => {
  expect(() => parseTarget(url)).toThrow(got)
})

test('of the addresses of a name, the one that listens is taken', async () => {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const target = await resolveTarget(parseTarget(`http://localhost:${server.port}`))
  expect(target.address).toBe('127.0.0.1')
  expect(target.hostHeader).toBe(`localhost:${server.port}`)
  await server.stop(true)
})

test('a name without an address is a fault', async () => {
  const resolving = resolveTarget(parseTarget('http://no-such-host.invalid'))
  await expect(resolving).rejects.toMatchObject({ code: 'target-unknown' })
})
