import { runDefectiveRole } from '../defective-role.ts'

await runDefectiveRole('drops-events')
