import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, type PeerPlace, startServer } from './server.ts'

/**
 * One worker, sendfile, connections kept, as its handbook recommends for a cache. Its files are where the benchmark's
 * are: on memory. `max_size` is kept by its cache manager, a process on the same core that looks once in ten seconds
 * while there is room: within a short run it lets the cache grow to whatever is asked for. What binds at once is the
 * room for keys: when it is full, the worker itself drops the least recently used object for the next. So a place with
 * `objectsMax` gets that many keys, and twice the memory, since a file of 4 KiB and its head take two blocks.
 */
export const nginx: Peer = {
  name: 'nginx',
  start(place) {
    const home = join(place.directory, `nginx-${place.port}`)
    mkdirSync(join(home, 'cache'), { recursive: true })
    const file = join(home, 'nginx.conf')
    writeFileSync(file, toConfiguration(home, place))
    return startServer({ name: 'nginx', command: ['nginx', '-p', home, '-c', file], port: place.port })
  },
}

/** A key takes 128 bytes of its zone, which has some pages of its own besides (`ngx_slab.c`). */
const KEY_BYTES = 128
const ZONE_OVERHEAD_KIB = 12

function toStorage({ memoryMib, objectsMax }: PeerPlace): string {
  if (objectsMax === undefined) return `keys_zone=edge:64m max_size=${memoryMib}m`
  const zoneKib = Math.ceil((objectsMax * KEY_BYTES) / 4096) * 4 + ZONE_OVERHEAD_KIB
  return `keys_zone=edge:${zoneKib}k max_size=${memoryMib * 2}m`
}

function toConfiguration(home: string, place: PeerPlace): string {
  return `daemon off; worker_processes 1; pid ${home}/pid; error_log stderr error; ${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; multi_accept on; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; open_file_cache ${place.objectsMax === undefined ? 'max=10000' : 'off'};
  proxy_cache_path ${home}/cache levels=1:2 ${toStorage(place)} inactive=1h use_temp_path=off;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream origin { server 127.0.0.1:${place.originPort}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${place.port} backlog=4096;
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache edge; proxy_cache_lock on; }
  }
}
`
}
