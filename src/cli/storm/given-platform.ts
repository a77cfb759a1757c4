import { rmSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { homeResponseSchema, sessionResponseSchema } from '../../contracts/index.ts'
import { describeError, Fault } from '../../kernel/index.ts'
import { type Layout, layoutOf, type Runtime, readRuntime } from '../../roles/index.ts'
import type { Stage, Target } from '../../storm/index.ts'
import { loadConfig } from '../configuration.ts'
import { createStaff } from '../staff.ts'
import { createFilmMaker } from './films.ts'
import { createInside } from './inside.ts'
import { createOperator, type StormOperator } from './operator.ts'
import type { OpenStage } from './own-platform.ts'

const ANSWER_WAIT_MS = 10_000
const WITHDRAW_WAIT_MS = 10_000

export type GivenPlatform = {
  readonly target: Target
  /** Where it lives on this machine; without it, the home that the CLI would use is tried. */
  readonly home: string | undefined
  /** For a platform elsewhere: its console, and a file with an operator's token. */
  readonly consoleUrl: string | undefined
  readonly operatorTokenFile: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
}

/**
 * The stage for a platform that runs already. With its home, storm sees inside and may operate it; with a console and a
 * token it may operate it; else it is seen as viewers see it. What it published there is withdrawn when the stage is closed.
 * Faults: `target-not-tentpole`, `home-not-running`, `token-unreadable`.
 */
export async function openGivenPlatform(options: GivenPlatform): Promise<OpenStage> {
  const { target } = options
  const seen = await lookAt(target)
  const found = await findHome(options)
  const scratch = await mkdtemp(join(tmpdir(), 'storm-'))
  const inside = found === null ? null : createInside({ layout: found.layout, disk: null })
  let operator: StormOperator | null = null
  const close = async (): Promise<void> => {
    if (operator) await withdrawAll(operator, options.say)
    await inside?.close()
    await rm(scratch, { recursive: true, force: true })
  }
  try {
    operator = await openOperator({ ...options, found, scratch })
    const stage: Stage = {
      watchUrl: target.url,
      premiereId: seen.premiereId,
      startedByStorm: false,
      version: seen.version,
      inside,
      operator,
    }
    return { stage, close, kill: () => rmSync(scratch, { recursive: true, force: true }) }
  } catch (error) {
    await close()
    throw error
  }
}

/** Best effort: the platform may be what the storm has broken. */
async function withdrawAll(operator: StormOperator, say: (line: string) => void): Promise<void> {
  const left = await operator.withdrawAll(AbortSignal.timeout(WITHDRAW_WAIT_MS))
  if (left.length > 0)
    say(`films of the storm that could not be withdrawn: ${left.join(', ')}; use "tentpole withdraw"`)
}

/** What its home page leads with is the premiere. */
async function lookAt(target: Target): Promise<{ premiereId: string | null; version: string | null }> {
  try {
    const health: unknown = await ask(target, '/healthz').catch(() => null)
    const body = JSON.stringify({ country: 'DE', tier: 'standard', platform: 'web' })
    const session = sessionResponseSchema.parse(
      await ask(target, '/v1/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
    )
    const headers = { authorization: `Bearer ${session.token}` }
    const { hero } = homeResponseSchema.parse(await ask(target, '/v1/home', { headers }))
    return { premiereId: hero?.id ?? null, version: versionIn(health) }
  } catch (error) {
    throw new Fault(
      'target-not-tentpole',
      `${target.url}: expected a Tentpole platform that answers viewers, got: ${describeError(error)}; see that it runs and is healthy`,
      { cause: error },
    )
  }
}

/** By the address that was checked: asked for again, a name may lead elsewhere. */
async function ask(
  target: Target,
  path: string,
  init: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<unknown> {
  const { address, port, tls, hostHeader, host, certificateAuthority: ca } = target
  const place = address.includes(':') ? `[${address}]` : address
  const response = await fetch(`${tls ? 'https' : 'http'}://${place}:${port}${path}`, {
    ...init,
    headers: { ...init.headers, host: hostHeader },
    redirect: 'manual',
    signal: AbortSignal.timeout(ANSWER_WAIT_MS),
    ...(tls ? { tls: { serverName: host, ...(ca === null ? {} : { ca }) } } : {}),
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return await response.json()
}

function versionIn(health: unknown): string | null {
  if (typeof health !== 'object' || health === null || !('version' in health)) return null
  return typeof health.version === 'string' ? health.version : null
}

type Home = { readonly layout: Layout; readonly runtime: Runtime }

/** A home that was named must be the target's; one that was only guessed may be another platform's. */
async function findHome({ target, home, environment }: GivenPlatform): Promise<Home | null> {
  const directory = home ?? (environment['TENTPOLE_HOME'] || (await loadConfig(undefined, environment)).home)
  const layout = layoutOf(directory)
  const runtime = await readRuntime(layout.runtimeFile)
  const isIts = runtime !== null && target.isLoopback && runtime.ports.watch === target.port
  if (isIts) return { layout, runtime }
  if (home === undefined) return null
  const got = runtime === null ? 'no platform runs there' : `the platform there is ${runtime.urls.watch}`
  throw new Fault('home-not-running', `--home: expected the home of ${target.url}, but ${got} (${layout.home})`)
}

async function openOperator(
  options: GivenPlatform & { readonly found: Home | null; readonly scratch: string },
): Promise<StormOperator | null> {
  const { found, scratch } = options
  const consoleUrl = options.consoleUrl ?? found?.runtime.urls.console
  const tokenFile = options.operatorTokenFile ?? found?.layout.operatorTokenFile
  if (consoleUrl === undefined || tokenFile === undefined) return null
  const token = await readFile(tokenFile, 'utf8').catch((error: unknown) => {
    throw new Fault('token-unreadable', `the operator's token cannot be read: ${describeError(error)}`, {
      cause: error,
    })
  })
  return createOperator({
    staff: createStaff({ home: scratch, consoleUrl, token: token.trim() }),
    films: createFilmMaker(scratch),
  })
}
