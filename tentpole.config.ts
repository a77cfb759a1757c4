import { defineTentpole, type TentpoleConfig } from './src/contracts/index.ts'

// The defaults, spelled out: change what you like, or leave this file out. TENTPOLE_HOME, TENTPOLE_PORT and
// TENTPOLE_CONSOLE_PORT win over it. Everything else that can be said here: docs/operations.md.
const config: TentpoleConfig = defineTentpole({
  home: '.tentpole',
  ports: { watch: 8080, console: 8081 },
  cells: [{ name: 'a', countries: ['US', 'CA', 'MX', 'BR'] }, { name: 'b' }],
  media: { workers: 1 },
})

export default config
