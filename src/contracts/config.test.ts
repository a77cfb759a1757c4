import { expect, test } from 'bun:test'
import { DEFAULT_LIMITS, Fault } from '../kernel/index.ts'
import { type CellConfig, cellFor, DEFAULT_LADDER, defineTentpole, parseConfig } from './config.ts'

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
  }
  throw new Error('expected a Fault')
}

test('an empty configuration is complete', () => {
  for (const input of [undefined, {}, defineTentpole({})]) {
    const config = parseConfig(input)
    expect(config.ports).toEqual({ watch: 8080, console: 8081 })
    expect(config.home).toBe('.tentpole')
    expect(config.cells.map((cell) => cell.name)).toEqual(['a', 'b'])
    expect(config.media).toEqual({ ladder: [...DEFAULT_LADDER], workers: 1 })
    expect(config.limits).toEqual(DEFAULT_LIMITS)
  }
})

test('the environment wins over the file, and an empty variable is none', () => {
  const file = { home: '/a', ports: { watch: 1, console: 2 } }
  expect(parseConfig(file, { TENTPOLE_HOME: '/b', TENTPOLE_PORT: '0', TENTPOLE_CONSOLE_PORT: '9' })).toMatchObject({
    home: '/b',
    ports: { watch: 0, console: 9 },
  })
  expect(parseConfig(file, { TENTPOLE_HOME: '', TENTPOLE_PORT: '' })).toMatchObject({ home: '/a', ports: file.ports })
})

test('who is exempt from limits per client is this machine, or the networks named', () => {
  expect(parseConfig({}).edge.exemptNetworks).toEqual(['127.0.0.0/8', '::1/128'])
  const named = ['10.1.0.0/16', 'fd00::/8']
  expect(parseConfig({ edge: { exemptNetworks: named } }).edge.exemptNetworks).toEqual(named)
  expect(parseConfig({ edge: { exemptNetworks: [] } }).edge.exemptNetworks).toEqual([])
  for (const junk of ['10.0.0.1', '10.0.0.1/8', '10.0.0.0/33', 'fd00::/129', 'localhost', ''])
    expect(faultOf(() => parseConfig({ edge: { exemptNetworks: [junk] } })).message).toContain(
      'edge.exemptNetworks.0: expected a network such as',
    )
})

test('the access log goes nowhere, to standard output, or into a file by its whole path', () => {
  expect(parseConfig({}).edge.accessLog).toBe('off')
  for (const accessLog of ['off', 'stdout', '/var/log/tentpole/access.log'])
    expect(parseConfig({ edge: { accessLog } }).edge.accessLog).toBe(accessLog)
  for (const accessLog of ['', 'sampled', 'access.log', '/var/log/'])
    expect(faultOf(() => parseConfig({ edge: { accessLog } })).message).toContain('edge.accessLog: expected "off"')
})

test('path tokens are bound to no network, or to one of so many bits', () => {
  expect(parseConfig({}).signatures).toEqual({ bindIpv4Bits: null, bindIpv6Bits: null })
  const both = { bindIpv4Bits: 24, bindIpv6Bits: 56 }
  expect(parseConfig({ signatures: both }).signatures).toEqual(both)
  expect(parseConfig({ signatures: { bindIpv6Bits: 64 } }).signatures.bindIpv4Bits).toBeNull()
  for (const signatures of [{ bindIpv4Bits: 33 }, { bindIpv4Bits: 0 }, { bindIpv6Bits: 129 }, { bindIpv6Bits: 1.5 }])
    expect(faultOf(() => parseConfig({ signatures })).message).toContain('signatures.bindIpv')
})

test('a limit overrides its default and leaves the others', () => {
  expect(parseConfig({ limits: { segmentHoldMs: 5_000 } }).limits).toEqual({ ...DEFAULT_LIMITS, segmentHoldMs: 5_000 })
})

test('every fault is told at once, with its path', () => {
  const fault = faultOf(() =>
    parseConfig(
      {
        ports: { watch: 70_000 },
        cells: [{ name: 'A' }],
        media: { ladder: [{ height: 241, bitrateBps: 1 }] },
        limits: { segmentHoldMS: 1 },
        colour: 'red',
      },
      { TENTPOLE_PORT: 'eighty' },
    ),
  )
  expect(fault.code).toBe('config-invalid')
  for (const path of [
    'ports.watch',
    'cells.0.name',
    'media.ladder.0.height',
    'media.ladder.0.bitrateBps',
    'limits',
    'colour',
    'TENTPOLE_PORT: expected a port from 0 to 65535, got "eighty"',
  ])
    expect(fault.message).toContain(path)
})

test('relations between limits, and names of cells, are checked', () => {
  expect(faultOf(() => parseConfig({ limits: { edgeGraceMs: 6_000 } })).message).toContain('limits: edgeGraceMs')
  expect(faultOf(() => parseConfig({ cells: [{ name: 'a' }, { name: 'a' }] })).message).toContain('names must differ')
  expect(faultOf(() => parseConfig({ engines: { log: 'kafka' } })).message).toContain('engines.log')
})

const CELLS: readonly CellConfig[] = [
  { name: 'premium-tv', tiers: ['premium'], platforms: ['tv'] },
  { name: 'dach', countries: ['DE', 'AT', 'CH'] },
  { name: 'rest', countries: ['US'] },
]
test.each([
  [{ country: 'DE', tier: 'premium', platform: 'tv' }, 'premium-tv'],
  [{ country: 'DE', tier: 'premium', platform: 'web' }, 'dach'],
  [{ country: 'US', tier: 'free', platform: 'web' }, 'rest'],
  [{ country: 'JP', tier: 'free', platform: 'web' }, 'rest'],
])('%p lives in %s: the first cell that matches, else the last', (viewer, cell) => {
  expect(cellFor(CELLS, viewer)).toBe(cell)
})

test('without a cell there is nowhere to live', () => {
  expect(faultOf(() => cellFor([], { country: 'DE', tier: 'free', platform: 'web' })).code).toBe('config-invalid')
})
