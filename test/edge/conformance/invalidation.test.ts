import { runCases } from './bed.ts'
import { asks, type Case, control, type Lines } from './case.ts'

const STORED = control('max-age=60')
const changing = (
  name: string,
  change: { readonly method?: string; readonly status?: number; readonly fields?: Lines; readonly path?: string },
  isForgotten: boolean,
  path = '/a',
): Case => {
  const { method = 'POST', status = 200, fields = [], path: changed = '/a' } = change
  return {
    clause: '9111, 4.4',
    name: `${name}: ${path} is ${isForgotten ? 'forgotten' : 'kept'}`,
    exchanges: [
      asks(STORED, { path }),
      asks({ status, fields, body: '' }, { method, path: changed, status, text: '' }),
      isForgotten ? asks(STORED, { path }) : { path, from: 0 },
    ],
  }
}
const located = (name: string, line: string, path: string, isForgotten: boolean): Case =>
  changing(`${name}, ${line}`, { status: 201, fields: [line], path: '/other' }, isForgotten, path)

runCases([
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'PROPPATCH', 'X-UNKNOWN'].map((method) => changing(method, { method }, true)),
  ...['OPTIONS'].map((method) => changing(method, { method }, false)),
  ...[200, 201, 202, 204, 301, 302, 303, 307].map((status) => changing(`a ${status}`, { status }, true)),
  ...[400, 401, 403, 404, 405, 409, 412, 429, 500, 503].map((status) => changing(`a ${status}`, { status }, false)),
  changing('with another query', { path: '/a?b' }, false),
  changing('with the same query', { path: '/a?b' }, true, '/a?b'),
  changing('of another path', { path: '/b' }, false),
  changing('spelled otherwise', { path: '/%61' }, true),
  ...['Location', 'Content-Location'].flatMap((name) => [
    located('relative', `${name}: a`, '/a', true),
    located('absolute path', `${name}: /a`, '/a', true),
    located('absolute', `${name}: http://edge.test/a`, '/a', true),
    located('with the default port', `${name}: http://edge.test:80/a`, '/a', true),
    located('in capitals', `${name}: HTTP://EDGE.test/a`, '/a', true),
    located('with a fragment', `${name}: /a#b`, '/a', true),
    located('with dot segments', `${name}: /b/../a`, '/a', true),
    located('spelled otherwise', `${name}: /%61%2d`, '/a-', true),
    located('encoded in lower case', `${name}: /%c3%a4`, '/%C3%A4', true),
    located('with a query', `${name}: /a?x=1`, '/a?x=1', true),
    located('without the query', `${name}: /a`, '/a?x=1', false),
    located('of another host', `${name}: http://evil.test/a`, '/a', false),
    located('of another port', `${name}: http://edge.test:81/a`, '/a', false),
    located('of another scheme', `${name}: https://edge.test/a`, '/a', false),
    located('of a host as a user', `${name}: http://edge.test@evil.test/a`, '/a', false),
    located('that is none', `${name}: http://[`, '/a', false),
  ]),
  {
    clause: '9111, 4.4',
    name: 'all variants are forgotten',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo'), { fields: ['Foo: 1'] }),
      asks(control('max-age=60', 'Vary: Foo'), { fields: ['Foo: 2'] }),
      asks({}, { method: 'POST' }),
      asks(control('max-age=60', 'Vary: Foo'), { fields: ['Foo: 1'] }),
      asks(control('max-age=60', 'Vary: Foo'), { fields: ['Foo: 2'] }),
    ],
  },
  {
    clause: '9111, 4.4',
    name: 'a host is another site',
    exchanges: [
      asks(STORED, { fields: ['Host: one.test'] }),
      asks(STORED, { fields: ['Host: two.test'] }),
      asks({}, { method: 'POST', fields: ['Host: two.test'] }),
      { fields: ['Host: one.test'], from: 0 },
      asks(STORED, { fields: ['Host: two.test'] }),
    ],
  },
  {
    clause: '9111, 4.4',
    name: 'a change that could not be asked for forgets nothing',
    exchanges: [asks(STORED), { method: 'POST', origin: 'down', status: 502, text: null }, { from: 0 }],
  },
])
