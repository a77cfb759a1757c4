import type { Sample } from '../report/report.ts'

/** What this process used since it was last asked. */
export type Usage = { take(): Pick<Sample, 'cpu' | 'rssBytes'> }

export function createUsage(): Usage {
  let cpu = process.cpuUsage()
  let atMs = performance.now()
  return {
    take() {
      const used = process.cpuUsage(cpu)
      const now = performance.now()
      const elapsedMs = Math.max(1, now - atMs)
      cpu = process.cpuUsage()
      atMs = now
      return { cpu: (used.user + used.system) / 1_000 / elapsedMs, rssBytes: process.memoryUsage.rss() }
    },
  }
}
