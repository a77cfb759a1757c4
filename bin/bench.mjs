// `npm run bench -- NAME`: installs what is missing, then runs that benchmark.
import { join } from 'node:path'
import {
  CHROMIUM,
  ensureInstalled,
  ensurePrograms,
  FFMPEG,
  FFPROBE,
  findBun,
  findProgram,
  NGINX,
  PROJECT,
  runForeground,
  VARNISH,
  WRK,
} from './launch.mjs'

await ensureInstalled({ dev: true })
ensurePrograms([FFMPEG, FFPROBE, CHROMIUM, WRK, ...(process.argv.includes('edge') ? [NGINX, VARNISH] : [])])
const env = { TENTPOLE_CHROMIUM: findProgram(CHROMIUM.names), ...process.env }
const args = ['--no-install', join(PROJECT, 'bench', 'run.ts'), ...process.argv.slice(2)]
process.exit(await runForeground(findBun(), args, { env }))
