import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseConfig, type ResolvedConfig } from '../contracts/index.ts'
import { describeError, Fault } from '../kernel/index.ts'

export const PROJECT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FILE = 'tentpole.config.ts'

type Environment = Readonly<Record<string, string | undefined>>

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/**
 * The configuration: `file` if one is named, else tentpole.config.ts of this directory, else the project's own. The
 * environment wins over it. A relative home is relative to where the command runs. Fault `config-invalid`.
 */
export async function loadConfig(file: string | undefined, environment: Environment): Promise<ResolvedConfig> {
  const path = [file, resolve(FILE), resolve(PROJECT, FILE)].find((candidate) => candidate && existsSync(candidate))
  if (file !== undefined && path !== file)
    throw new Fault('config-invalid', `--config: expected a file, there is none at ${resolve(file)}`)
  const config = parseConfig(path === undefined ? {} : await importConfig(path), environment)
  const modules = config.hub.modules.map((module, at) => resolveModule(dirname(resolve(path ?? FILE)), module, at))
  return { ...config, home: resolve(config.home), hub: { ...config.hub, modules } }
}

/** Absolute, since it travels to a process that does not know where the configuration was. */
function resolveModule(directory: string, module: string, at: number): string {
  const path = resolve(directory, module)
  if (existsSync(path)) return path
  throw new Fault('config-invalid', `hub.modules.${at}: expected a file, there is none at ${path}`)
}

async function importConfig(path: string): Promise<unknown> {
  let module: { default?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown }
  } catch (error) {
    throw new Fault('config-invalid', `${path} cannot be loaded: ${describeError(error)}`, { cause: error })
  }
  if (module.default !== undefined) return module.default
  throw new Fault('config-invalid', `${path}: expected "export default defineTentpole({ ... })", got no default export`)
}
