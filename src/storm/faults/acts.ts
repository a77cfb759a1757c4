import { Fault } from '../../kernel/index.ts'
import type { Inside } from '../stage.ts'
import { createDiskFiller, type DiskFiller } from './disk-filler.ts'
import type { FaultEffect } from './kinds/kind.ts'
import type { Links } from './links.ts'
import { createProcesses } from './processes.ts'

export type FaultAct = Exclude<FaultEffect, { type: 'mark' | 'fail' }>

/** What one fault does to the platform, and how it is undone. */
export type FaultActs = {
  perform(act: FaultAct): Promise<void>
  /** As if it had never struck, but for what is dead; more than once does nothing more. */
  undo(): Promise<void>
}

export function createFaultActs(options: {
  readonly faultId: string
  readonly stage: Inside
  readonly links: Links
}): FaultActs {
  const { faultId, stage, links } = options
  const processes = createProcesses(stage.layout.home)
  let filler: DiskFiller | null = null
  let impaired: string | null = null

  const fill = async (): Promise<void> => {
    if (stage.disk === null)
      throw new Fault(
        'disk-missing',
        'the platform lives on the disk of this machine, which is not filled; expected a small one made for it: give the scenario platform.diskBytes and let storm start the platform',
      )
    filler ??= createDiskFiller(stage.disk.directory)
    await filler.fill()
  }
  const free = async (): Promise<void> => {
    await filler?.free()
  }
  const mend = async (): Promise<void> => {
    const where = impaired
    impaired = null
    if (where !== null) await links.setConditions(where, faultId, null)
  }

  return {
    async perform(act) {
      switch (act.type) {
        case 'kill':
          return processes.kill(act.victim)
        case 'freeze':
          return processes.freeze(act.victim, act.forMs)
        case 'thaw':
          return processes.thaw()
        case 'impair':
          impaired = act.where
          return await links.setConditions(act.where, faultId, act.conditions)
        case 'mend':
          return await mend()
        case 'fill':
          return await fill()
        case 'free':
          return await free()
      }
    },
    async undo() {
      processes.thaw()
      await free()
      // A proxy that is gone impairs nothing.
      await mend().catch(() => {})
    },
  }
}
