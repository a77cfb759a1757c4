import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError, Fault } from '../../kernel/index.ts'

const ENDING = '.json'

/** The schemas in a directory, by the type each file is named after; none when there is no such directory yet. */
export async function readSchemaFiles(directory: string): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const name of await listFiles(directory)) {
    if (!name.endsWith(ENDING)) continue
    const file = join(directory, name)
    found.set(name.slice(0, -ENDING.length), parse(await readFile(file, 'utf8'), file))
  }
  return found
}

export async function writeSchemaFile(directory: string, name: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, name), text)
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
    throw new Fault('file-unreadable', `${directory}: expected a directory of schemas, ${describeError(cause)}`, {
      cause,
    })
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault('file-unreadable', `${file}: expected a JSON Schema, ${describeError(cause)}`, { cause })
  }
}
