import { runCases } from './bed.ts'
import { asks, type Case, control, type Exchange, type Lines } from './case.ts'

const of = (...fields: Lines): Pick<Exchange, 'fields'> => ({ fields })

/** Whether what answered the first request answers the second one. */
const pair = (vary: string, one: Lines, other: Lines, isSame: boolean, clause = '9111, 4.1'): Case => {
  const origin = control('max-age=60', `Vary: ${vary}`)
  const name = `Vary: ${vary}; ${one.join(' and ') || 'nothing'} ${isSame ? 'is' : 'is not'} ${other.join(' and ') || 'nothing'}`
  const second: Exchange = isSame ? of(...other) : asks(origin, of(...other))
  // The first one's is still here in any case.
  return { clause, name, exchanges: [asks(origin, of(...one)), second, { ...of(...one), from: 0 }] }
}

const pairs: readonly Case[] = [
  pair('Foo', ['Foo: 1'], ['Foo: 1'], true),
  pair('Foo', ['Foo: 1'], ['Foo: 2'], false),
  pair('Foo', ['Foo: 1'], [], false),
  pair('Foo', [], ['Foo: 1'], false),
  pair('Foo', [], [], true),
  pair('Foo', [], ['Foo:'], false),
  pair('FOO', ['foo: 1'], ['Foo: 1'], true),
  pair('Foo', ['Foo: 1'], ['Foo:   1  '], true),
  pair('Foo', ['Foo: a'], ['Foo: A'], false),
  pair('Foo', ['Foo: 1, 2'], ['Foo: 1', 'Foo: 2'], true),
  pair('Foo', ['Foo: 1', 'Foo: 2'], ['Foo: 2', 'Foo: 1'], false),
  pair('Foo', ['Foo: 1', 'Bar: 1'], ['Foo: 1', 'Bar: 2'], true),
  pair('Foo, Bar', ['Foo: 1', 'Bar: 1'], ['Foo: 1', 'Bar: 2'], false),
  pair('Foo, Bar', ['Foo: 1', 'Bar: 2'], ['Bar: 2', 'Foo: 1'], true),
  pair('Foo, Foo', ['Foo: 1'], ['Foo: 1'], true),
  pair('Foo,, ,Bar', ['Foo: 1', 'Bar: 1'], ['Foo: 1', 'Bar: 2'], false),
  pair('Accept-Encoding', ['Accept-Encoding: gzip, br'], ['Accept-Encoding: br,gzip;q=0.5'], true, '9110, 12.5.3'),
  pair('Accept-Encoding', ['Accept-Encoding: gzip'], ['Accept-Encoding: x-gzip'], true, '9110, 8.4.1.3'),
  pair('Accept-Encoding', ['Accept-Encoding: gzip, br'], ['Accept-Encoding: gzip'], false, '9110, 12.5.3'),
  pair('Accept-Encoding', ['Accept-Encoding: gzip'], ['Accept-Encoding: gzip;q=0'], false, '9110, 12.5.3'),
  pair('Accept-Encoding', ['Accept-Encoding: gzip'], ['Accept-Encoding: gzip, identity;q=0'], false, '9110, 12.5.3'),
  pair('Accept-Encoding', [], ['Accept-Encoding: gzip'], false, '9110, 12.5.3'),
  pair('Accept-Language', ['Accept-Language: en, de;q=0.5'], ['Accept-Language: EN,  de; q=0.5'], true, '9110, 12.5.4'),
  pair('Accept-Language', ['Accept-Language: en, de'], ['Accept-Language: de, en'], false, '9110, 12.5.4'),
  pair('Cookie', ['Cookie: a=1'], ['Cookie: a=2'], false),
  pair('Origin', ['Origin: http://a.test'], ['Origin: http://b.test'], false),
]

const several: readonly Case[] = [
  {
    clause: '9111, 4.1',
    name: 'two lines of Vary are one list',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo', 'Vary: Bar'), of('Foo: 1', 'Bar: 1')),
      asks(control('max-age=60', 'Vary: Foo', 'Vary: Bar'), of('Foo: 1', 'Bar: 2')),
    ],
  },
  {
    clause: '9111, 4.1',
    name: 'five variants live side by side',
    exchanges: [
      ...[0, 1, 2, 3, 4].map((foo) => asks(control('max-age=60', 'Vary: Foo'), of(`Foo: ${foo}`))),
      ...[4, 2, 0, 3, 1].map((foo) => ({ ...of(`Foo: ${foo}`), from: foo })),
    ],
  },
  {
    clause: '9111, 4.1',
    name: 'what does not vary is not taken for what does later',
    exchanges: [
      asks(control('max-age=10'), of('Foo: 1')),
      asks(control('max-age=60', 'Vary: Foo'), { ...of('Foo: 1'), afterS: 11 }),
      of('Foo: 1'),
      asks(control('max-age=60', 'Vary: Foo'), of('Foo: 2')),
    ],
  },
  {
    clause: '9111, 4.1',
    name: 'answers that vary by different fields are told apart by all of them',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo'), of('Foo: 1', 'Bar: 1')),
      asks(control('max-age=60', 'Vary: Bar'), of('Foo: 2', 'Bar: 1')),
      asks(control('max-age=60', 'Vary: Foo'), of('Foo: 3', 'Bar: 1')),
      { ...of('Foo: 2', 'Bar: 1'), from: 1 },
    ],
  },
  {
    clause: '9111, 4.1; 4.3.4',
    name: 'a 304 freshens the variant that was asked for, not another',
    exchanges: [
      asks(control('max-age=10', 'Vary: Foo', 'ETag: "1"'), of('Foo: 1')),
      asks(control('max-age=10', 'Vary: Foo', 'ETag: "2"'), of('Foo: 2')),
      {
        ...asks({ status: 304, body: '', fields: ['ETag: "1"', 'Vary: Foo'] }),
        ...of('Foo: 1'),
        afterS: 11,
        from: 0,
        sent: { 'if-none-match': '"1"' },
      },
      { ...of('Foo: 1'), from: 0 },
      {
        ...asks({ status: 304, body: '', fields: ['ETag: "2"', 'Vary: Foo'] }),
        ...of('Foo: 2'),
        from: 1,
        sent: { 'if-none-match': '"2"' },
      },
    ],
  },
  {
    clause: '9111, 4.1',
    name: 'a variant with Vary: * leaves the others',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo'), of('Foo: 1')),
      asks(control('max-age=60', 'Vary: *'), of('Foo: 2')),
      { ...of('Foo: 1'), from: 0 },
    ],
  },
  {
    clause: '9111, 4.1',
    name: 'more variants than are kept: the newest are',
    limits: { edgeVariantsMax: 2 },
    exchanges: [
      ...[0, 1, 2].map((foo) => asks(control('max-age=60', 'Vary: Foo'), of(`Foo: ${foo}`))),
      { ...of('Foo: 2'), from: 2 },
      asks(control('max-age=60', 'Vary: Foo'), of('Foo: 0')),
    ],
  },
  {
    clause: '9211, 2.2',
    name: 'that only another variant is here is said',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo'), { ...of('Foo: 1'), cacheStatus: 'fwd=uri-miss; stored' }),
      asks(control('max-age=60', 'Vary: Foo'), { ...of('Foo: 2'), cacheStatus: 'fwd=vary-miss; stored' }),
    ],
  },
  {
    clause: '9110, 12.5.5',
    name: 'Vary goes on to the client, with every answer',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo', 'ETag: "1"'), { ...of('Foo: 1'), got: { vary: 'Foo' } }),
      { ...of('Foo: 1'), got: { vary: 'Foo' } },
      { ...of('Foo: 1', 'If-None-Match: "1"'), status: 304, got: { vary: 'Foo' } },
    ],
  },
]

runCases([...pairs, ...several])
