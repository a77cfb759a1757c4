/**
 * The floors of the house (ARCHITECTURE.md): a room imports only rooms below it, a room is entered only by its
 * index.ts, services meet over the hub and never import one another, nothing goes round in circles.
 */
const FLOORS = ['kernel', 'contracts', 'wire', 'engines', 'hub', 'services', 'gateway', 'edge', 'roles', 'storm', 'cli']

/** Every floor may import the ones before it, never one after it. */
const upward = FLOORS.slice(0, -1).map((floor, at) => ({
  name: `floors-${floor}`,
  comment: `${floor} imports only ${FLOORS.slice(0, at).join(', ') || 'Node built-ins'}: what is above it must stay replaceable`,
  severity: 'error',
  from: { path: `^src/${floor}/` },
  to: { path: `^src/(${FLOORS.slice(at + 1).join('|')})/` },
}))

/** Rooms that hold rooms: each folder inside is one, with its own door. */
const NESTED = 'engines|services'

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'kernel-stands-alone',
      comment: 'the kernel imports nothing but Node built-ins (tests aside)',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '[.]test[.]ts$' },
      to: { pathNot: '^src/kernel/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'client-stands-alone',
      comment:
        'the client runs in other teams’ services: it imports nothing but its own files, not even Node built-ins',
      severity: 'error',
      from: { path: '^src/client/', pathNot: '[.]test[.]ts$' },
      to: { pathNot: '^src/client/' },
    },
    {
      name: 'services-meet-over-the-hub',
      comment: 'services never import one another: they meet in contracts and over the hub',
      severity: 'error',
      from: { path: '^src/services/([^/]+)/' },
      to: { path: '^src/services/', pathNot: '^src/services/$1/' },
    },
    {
      name: 'one-door',
      comment: "a room's index.ts is its only door",
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: `^src/(?!${NESTED})[^/]+/.`,
        pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$', '^src/roles/(context|layout)[.]ts$'],
      },
    },
    {
      name: 'one-door-services',
      comment: "a service's index.ts is its only door",
      severity: 'error',
      from: { path: '^src/([^/]+/[^/]+)/?' },
      to: { path: '^src/services/.', pathNot: ['^src/$1/', '^src/services/[^/]+/index[.]ts$'] },
    },
    {
      name: 'one-door-engines',
      comment:
        "an engine's doors are its index.ts, its port and its contract suite; among themselves the adapters share parts",
      severity: 'error',
      from: { path: '^src/(?!engines/)' },
      to: { path: '^src/engines/.', pathNot: '^src/engines/[^/]+/(index|port|contract)[.]ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'a cycle has no bottom to begin reading at',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere hides its floor from the other rules',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true, pathNot: '^bun(:|$)' },
    },
  ],
  options: {
    // TypeScript 7 has no parser that dependency-cruiser can load; swc reads the same syntax.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['bun', 'import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
    },
    builtInModules: { add: ['bun', 'bun:test', 'bun:sqlite', 'bun:ffi'] },
  },
}
