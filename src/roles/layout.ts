import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** `sun_path` holds 108 bytes on Linux, 104 on macOS; the longest socket name is added to the directory. */
const SOCKET_DIRECTORY_BYTES_MAX = 64

/** Where everything lives under a platform's home; the one place that names a file of it. */
export type Layout = {
  readonly home: string
  /** pid, ports and addresses of the running platform, by which the CLI finds it. */
  readonly runtimeFile: string
  /** Locked by the running supervisor; the lock goes with its process. */
  readonly lockFile: string
  /** Process ids of the roles, by which a later supervisor clears away what an earlier one left. */
  readonly rolesFile: string
  readonly operatorTokenFile: string
  /** For who scrapes `/metrics`. Mode 0600. */
  readonly metricsTokenFile: string
  /** Ed25519 JWK of viewer tokens; the path tokens' keys. Mode 0600. */
  readonly viewerKeyFile: string
  readonly pathKeysFile: string
  readonly logDirectory: string
  readonly tablesFile: string
  readonly objectsDirectory: string
  readonly uploadsDirectory: string
  readonly scratchDirectory: string
  readonly webDirectory: string
  readonly socketDirectory: string
  readonly storeSocket: string
  readonly supervisorSocket: string
  cellSocket(cell: string): string
  /** Where a role by this name tells what it counts. */
  roleSocket(role: string): string
}

/** Sockets live in `<home>/run`, or in a directory of the system's temporary one when that path would be too long for a socket. */
export function layoutOf(homeDirectory: string): Layout {
  const home = resolve(homeDirectory)
  const beside = join(home, 'run')
  const name = createHash('sha256').update(home).digest('hex').slice(0, 16)
  const socketDirectory =
    Buffer.byteLength(beside) <= SOCKET_DIRECTORY_BYTES_MAX ? beside : join(tmpdir(), `tentpole-${name}`)
  return {
    home,
    runtimeFile: join(home, 'runtime.json'),
    lockFile: join(home, 'supervisor.lock'),
    rolesFile: join(home, 'roles.json'),
    operatorTokenFile: join(home, 'operator.token'),
    metricsTokenFile: join(home, 'metrics.token'),
    viewerKeyFile: join(home, 'keys', 'viewer.json'),
    pathKeysFile: join(home, 'keys', 'path.json'),
    logDirectory: join(home, 'log'),
    tablesFile: join(home, 'tables', 'tentpole.sqlite'),
    objectsDirectory: join(home, 'objects'),
    uploadsDirectory: join(home, 'uploads'),
    scratchDirectory: join(home, 'scratch'),
    webDirectory: join(home, 'web'),
    socketDirectory,
    storeSocket: join(socketDirectory, 'store.sock'),
    supervisorSocket: join(socketDirectory, 'supervisor.sock'),
    cellSocket: (cell) => join(socketDirectory, `cell-${cell}.sock`),
    roleSocket: (role) => join(socketDirectory, `role-${role}.sock`),
  }
}
