import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, startServer } from './server.ts'

/**
 * Memory storage, threads enough for every connection, one pool for one core: of the usual settings those that gave most hits
 * per second of its processor, ahead of its defaults (two pools), of one pool alone, and of a longer or no `timeout_linger`.
 */
export const varnish: Peer = {
  name: 'varnish',
  start({ port, originPort, directory, memoryMib }) {
    const home = join(directory, `varnish-${port}`)
    mkdirSync(home, { recursive: true })
    const parameters = ['thread_pools=1', 'thread_pool_min=200', 'thread_pool_max=1000', 'timeout_idle=60']
    const command = [
      ...['varnishd', '-F', '-j', 'none', '-n', home, '-a', `127.0.0.1:${port}`, '-b', `127.0.0.1:${originPort}`],
      ...['-s', `malloc,${memoryMib}m`, ...parameters.flatMap((parameter) => ['-p', parameter])],
    ]
    return startServer({ name: 'varnish', command, port })
  },
}
