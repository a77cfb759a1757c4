import { randomInt } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Fault, silentLogger } from '../../kernel/index.ts'
import {
  checkTarget,
  createLiveView,
  durationOf,
  type LiveView,
  renderReport,
  renderSummary,
  type Scenario,
  type StormOptions,
  type StormReport,
  type Target,
} from '../../storm/index.ts'
import { VERSION } from '../configuration.ts'
import type { Invocation } from '../verbs/command.ts'
import { openGivenPlatform } from './given-platform.ts'
import { createInterrupts, type Interrupts } from './interrupts.ts'
import { loadScenario } from './load-scenario.ts'
import { type RunOptions, SEED_MAX, type TargetOptions, toRepeatCommand } from './options.ts'
import { type OpenStage, openOwnPlatform } from './own-platform.ts'

/** Where the live view goes. */
export type Screen = {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** What the command is composed of; others only in tests. */
export type RunParts = {
  runStorm(options: StormOptions): Promise<StormReport>
  buildReportPage(): Promise<string>
  readonly screen: Screen
}

/** Blows one storm. Exit code 0 when it passed, 1 when it failed or says nothing. */
export async function runCommand(options: RunOptions, invocation: Invocation, parts: RunParts): Promise<number> {
  const { terminal } = invocation
  const scenario = await loadScenario(options)
  const given = options.target === null ? null : await lookAtTarget(options.target)
  const seed = options.seed ?? randomInt(SEED_MAX)
  const out = resolve(options.out ?? join('storm-reports', `${stampOf(new Date())}-${scenario.name}`))
  await mkdir(out, { recursive: true })
  const say = (line: string): void => void parts.screen.write(`storm: ${line}\n`)
  say(`${scenario.name}, seed ${seed}`)

  const interrupts = createInterrupts()
  let open: OpenStage | null = null
  try {
    // First: a page that does not build must not cost a run.
    const template = await parts.buildReportPage()
    open =
      given && options.target
        ? await openGivenPlatform({ ...options.target, target: given, environment: invocation.environment, say })
        : await openOwn({ scenario, out, interrupts, say })
    interrupts.onSecond(open.kill)
    const target = given ?? (await checkTarget(open.stage.watchUrl))
    const view = showLive(scenario, parts.screen)
    const report = await parts
      .runStorm({
        scenario,
        stage: open.stage,
        target,
        seed,
        toolVersion: VERSION,
        repeat: toRepeatCommand(invocation.args, seed),
        logger: silentLogger,
        interrupt: interrupts.signal,
        ...view.listeners,
      })
      .finally(view.end)
    const files = await writeReport(out, report, template)
    for (const line of renderSummary(report, files)) {
      if (options.json) say(line)
      else terminal.print(line)
    }
    if (options.json) terminal.print(toJsonLine(report, files))
    return report.verdict === 'passed' ? 0 : 1
  } finally {
    await open?.close()
    interrupts.close()
  }
}

async function lookAtTarget({ url, iOwnThisTarget, certificateAuthorityFile: file }: TargetOptions): Promise<Target> {
  const certificateAuthority = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => null)
  if (certificateAuthority === null)
    throw new Fault('file-unreadable', `--ca: expected a file with certificates (PEM), ${file} cannot be read`)
  return await checkTarget(url, { iOwnThisTarget, certificateAuthority })
}

function openOwn(options: {
  scenario: Scenario
  out: string
  interrupts: Interrupts
  say: (line: string) => void
}): Promise<OpenStage> {
  const { scenario, out, interrupts, say } = options
  return openOwnPlatform({
    scenario,
    logFile: join(out, 'platform.log'),
    signal: interrupts.signal,
    say,
    onKillable: interrupts.onSecond,
  })
}

type Listeners = Required<Pick<StormOptions, 'onPhase' | 'onSample' | 'onMark'>>

function showLive(scenario: Scenario, screen: Screen): { readonly listeners: Listeners; readonly end: () => void } {
  const view: LiveView = createLiveView({
    write: (text) => void screen.write(text),
    isTty: screen.isTTY === true,
    width: () => screen.columns ?? 100,
    name: scenario.name,
    durationMs: durationOf(scenario),
  })
  let phase = scenario.phases[0]?.name ?? ''
  return {
    listeners: {
      onPhase(name) {
        phase = name
      },
      onSample: (sample, totals) => view.update(sample, phase, totals),
      onMark: view.mark,
    },
    end: view.end,
  }
}

type Files = { readonly html: string; readonly json: string }

async function writeReport(out: string, report: StormReport, template: string): Promise<Files> {
  const files = { html: join(out, 'report.html'), json: join(out, 'report.json') }
  await writeFile(files.json, `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(files.html, renderReport(template, report))
  return files
}

function toJsonLine(report: StormReport, files: Files): string {
  const { verdict, invalidBecause, objectives, totals, seed, scenario, generator } = report
  return JSON.stringify({
    verdict,
    invalidBecause,
    scenario: scenario.name,
    seed,
    objectives,
    totals,
    generator,
    files,
  })
}

/** `20261121-201500`, local time. */
function stampOf(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`
}
