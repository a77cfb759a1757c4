import { runCases } from './bed.ts'
import { asks, type Case, control, type Lines } from './case.ts'

/** Stored with max-age=60, asked for again after `afterS` with these fields. */
const wish = (
  clause: string,
  fields: Lines,
  afterS: number,
  expected: 'served' | 'asked for' | 504,
  stored = 'max-age=60',
): Case => {
  const again = { fields, afterS }
  const second =
    expected === 'served'
      ? again
      : expected === 504
        ? { ...again, status: 504, text: null }
        : asks(control('max-age=60'), again)
  return {
    clause,
    name: `${fields.join(', ')}: ${expected}, of ${stored} after ${afterS} s`,
    exchanges: [asks(control(stored)), second],
  }
}
const say = (value: string): Lines => [`Cache-Control: ${value}`]

runCases([
  wish('9111, 5.2.1.1', say('max-age=30'), 30, 'served'),
  wish('9111, 5.2.1.1', say('max-age=30'), 31, 'asked for'),
  wish('9111, 5.2.1.1', say('max-age=0'), 1, 'asked for'),
  wish('9111, 5.2.1.1', say('max-age=600'), 60, 'asked for'),
  wish('9111, 5.2.1.1', say('max-age="30"'), 31, 'asked for'),
  wish('9111, 5.2.1.1', say('max-age=soon'), 1, 'asked for'),
  wish('9111, 5.2.1.1', say('MAX-AGE=30'), 31, 'asked for'),
  wish('9111, 5.2.1.2', say('max-stale'), 1_000, 'served'),
  wish('9111, 5.2.1.2', say('max-stale=30'), 90, 'served'),
  wish('9111, 5.2.1.2', say('max-stale=30'), 91, 'asked for'),
  wish('9111, 5.2.1.2', say('max-stale=soon'), 61, 'asked for'),
  wish('9111, 5.2.1.2', say('max-stale, max-age=70'), 65, 'served'),
  wish('9111, 5.2.1.2', say('max-stale, max-age=70'), 75, 'asked for'),
  wish('9111, 5.2.2.2', say('max-stale'), 61, 'asked for', 'max-age=60, must-revalidate'),
  wish('9111, 5.2.2.8', say('max-stale'), 61, 'asked for', 'max-age=60, proxy-revalidate'),
  wish('9111, 5.2.2.10', say('max-stale'), 61, 'asked for', 's-maxage=60'),
  wish('9111, 5.2.1.3', say('min-fresh=30'), 30, 'served'),
  wish('9111, 5.2.1.3', say('min-fresh=30'), 31, 'asked for'),
  wish('9111, 5.2.1.3', say('min-fresh=1000'), 0, 'asked for'),
  wish('9111, 5.2.1.3', say('min-fresh=soon'), 0, 'asked for'),
  wish('9111, 5.2.1.3', say('min-fresh=1, max-stale'), 61, 'asked for'),
  wish('9111, 5.2.1.4', say('no-cache'), 1, 'asked for'),
  wish('9111, 5.2.1.4', say('No-Cache'), 1, 'asked for'),
  wish('9111, 5.2.1.4', ['Cache-Control: foo', 'Cache-Control: no-cache'], 1, 'asked for'),
  wish('9111, 5.2.1.5', say('no-store'), 1, 'served'),
  wish('9111, 5.2.1.6', say('no-transform'), 1, 'served'),
  wish('9111, 5.2.1.7', say('only-if-cached'), 1, 'served'),
  wish('9111, 5.2.1.7', say('only-if-cached'), 61, 504),
  wish('9111, 5.2.1.7', say('only-if-cached, max-stale'), 61, 'served'),
  wish('9111, 5.2.1.7', say('only-if-cached, no-cache'), 1, 504),
  wish('9111, 5.2.1.7', say('only-if-cached, max-age=0'), 1, 504),
  wish('9111, 5.4', ['Pragma: no-cache'], 1, 'asked for'),
  wish('9111, 5.4', ['Pragma: foo, no-cache'], 1, 'asked for'),
  wish('9111, 5.4', ['Pragma: foo'], 1, 'served'),
  wish('9111, 5.4', ['Pragma: no-cache', 'Cache-Control: foo'], 1, 'served'),
  wish('9111, 5.2.3', say('foo, bar=1'), 1, 'served'),
  wish('9111, 5.2.1', say('public, s-maxage=0, private, must-revalidate'), 1, 'served'),
  wish('8246, 2', say('max-age=0'), 30, 'served', 'max-age=60, immutable'),
  wish('8246, 2', say('no-cache'), 30, 'asked for', 'max-age=60, immutable'),
  wish('8246, 2', say('max-age=0'), 60, 'asked for', 'max-age=60, immutable'),
  wish('8246, 2', say('max-age=0'), 30, 'served', 'max-age=60, immutable=?0'),
  {
    clause: '9111, 5.2.1.7',
    name: 'only-if-cached of what is not here',
    exchanges: [{ fields: say('only-if-cached'), status: 504, text: null }],
  },
  {
    clause: '9111, 5.2.1.7',
    name: 'only-if-cached of another variant',
    exchanges: [
      asks(control('max-age=60', 'Vary: Foo'), { fields: ['Foo: 1'] }),
      { fields: ['Foo: 2', ...say('only-if-cached')], status: 504, text: null },
    ],
  },
  {
    clause: '9111, 5.2.1.4',
    name: 'no-cache validates, and what it brings is for all',
    exchanges: [
      asks(control('max-age=60', 'ETag: "1"')),
      asks(control('max-age=60', 'ETag: "2"'), {
        fields: say('no-cache'),
        sent: { 'if-none-match': '"1"', 'cache-control': 'no-cache' },
        cacheStatus: 'fwd=request; fwd-status=200; stored',
      }),
      {},
    ],
  },
  {
    clause: '9111, 5.2.1.5',
    name: 'no-store keeps nothing, and what others ask for is kept',
    exchanges: [asks(control('max-age=60'), { fields: say('no-store') }), asks(control('max-age=60')), {}],
  },
  {
    clause: '9111, 5.2.1.5',
    name: 'no-store does not take away what is stored for others',
    exchanges: [
      asks(control('max-age=10', 'ETag: "1"')),
      {
        origin: [{ status: 304, body: '', fields: ['ETag: "1"'] }, control('max-age=10')],
        fields: say('no-store'),
        afterS: 11,
      },
      { ...asks({ status: 304, body: '', fields: ['ETag: "1"'] }), from: 0 },
    ],
  },
])
