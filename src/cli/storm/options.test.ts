import { expect, test } from 'bun:test'
import { UsageError } from '../usage.ts'
import { parseStormOptions, toRepeatCommand } from './options.ts'

const parse = (line: string): unknown => parseStormOptions(line === '' ? [] : line.split(' '))

test('without a word it is the premiere on a platform of its own', () => {
  expect(parse('')).toEqual({
    kind: 'run',
    json: false,
    scenario: 'premiere',
    seed: null,
    baselinePerSecond: null,
    out: null,
    trace: null,
    target: null,
  })
})

const accepted: [line: string, expected: object][] = [
  ['--seed 7 --baseline 0.5 --out x --json', { seed: 7, baselinePerSecond: 0.5, out: 'x', json: true }],
  ['--scenario cell-down', { scenario: 'cell-down' }],
  ['--trace a.csv', { trace: { file: 'a.csv' } }],
  ['--trace a.csv --trace-minutes 90', { trace: { file: 'a.csv', minutes: 90 } }],
  ['--target http://localhost:8080', { target: { url: 'http://localhost:8080' } }],
  [
    '--target http://s.example --i-own-this-target s.example --console http://s.example:1 --operator-token-file t',
    { target: { iOwnThisTarget: 's.example', consoleUrl: 'http://s.example:1', operatorTokenFile: 't' } },
  ],
  ['--target https://s.example --ca ca.pem', { target: { certificateAuthorityFile: 'ca.pem' } }],
  ['--list --json', { kind: 'list', json: true }],
  ['--self-test --seed 3', { kind: 'self-test', seed: 3, json: false }],
  ['compare a b --json', { kind: 'compare', files: ['a', 'b'], json: true }],
]
for (const [line, expected] of accepted) test(`storm ${line}`, () => expect(parse(line)).toMatchObject(expected))

const refused: [line: string, told: string][] = [
  ['premiere', 'premiere'],
  ['--speed 9', '--speed'],
  ['--seed -1', '--seed'],
  ['--ca ca.pem', '--ca needs --target'],
  ['--seed 1.5', '--seed'],
  ['--seed tonight', 'tonight'],
  ['--seed 9999999999', '--seed'],
  ['--baseline 0', '--baseline'],
  ['--trace-minutes 60', '--trace FILE'],
  ['--trace-from 20:00', '--trace FILE'],
  ['--trace a --trace-minutes 1', '--trace-minutes'],
  ['--home x', '--target'],
  ['--i-own-this-target x', '--target'],
  ['--target http://localhost --console http://localhost:1', '--operator-token-file'],
  ['--target http://localhost --operator-token-file x', '--console'],
  ['--target http://localhost --console nonsense --operator-token-file x', 'nonsense'],
  ['--list --seed 1', '--seed'],
  ['--self-test --out x', '--out'],
  ['compare a', 'REPORT B'],
  ['compare', 'REPORT A'],
  ['compare a b c', '"c"'],
]
for (const [line, told] of refused)
  test(`storm ${line} is refused`, () => {
    expect(() => parse(line)).toThrow(UsageError)
    expect(() => parse(line)).toThrow(told)
  })

const repeats: readonly (readonly [string[], string])[] = [
  [[], 'npx tentpole storm --seed 7'],
  [['--scenario', 'cell-down', '--seed', '3', '--json'], 'npx tentpole storm --scenario cell-down --json --seed 7'],
  [['--seed=3', '--out', '/tmp/x', '--baseline', '4'], 'npx tentpole storm --baseline 4 --seed 7'],
  [
    ['--trace', "it's.csv", '--trace-from', '1998-06-30 20:00'],
    "npx tentpole storm --trace 'it'\\''s.csv' --trace-from '1998-06-30 20:00' --seed 7",
  ],
]
for (const [args, expected] of repeats)
  test(`again: ${args.join(' ')}`, () => expect(toRepeatCommand(args, 7)).toBe(expected))
