import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, startServer } from './server.ts'

/** One worker, its cache in the page cache's reach, sendfile, connections kept: as its handbook recommends for a cache. */
export const nginx: Peer = {
  name: 'nginx',
  start({ port, originPort, directory }) {
    const home = join(directory, 'nginx')
    mkdirSync(join(home, 'cache'), { recursive: true })
    const file = join(home, 'nginx.conf')
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${home}/pid; error_log stderr error; ${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; multi_accept on; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; open_file_cache max=10000;
  proxy_cache_path ${home}/cache levels=1:2 keys_zone=edge:64m max_size=1g inactive=1h use_temp_path=off;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache edge; proxy_cache_lock on; }
  }
}
`,
    )
    return startServer(['nginx', '-p', home, '-c', file], port)
  },
}
