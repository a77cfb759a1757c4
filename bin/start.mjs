// `npm start`: installs what is missing, then `tentpole up`.
import { ensureInstalled, ensurePrograms, FFMPEG, FFPROBE, runTentpole } from './launch.mjs'

await ensureInstalled({ dev: false })
ensurePrograms([FFMPEG, FFPROBE])
await runTentpole(['up', ...process.argv.slice(2)])
