import { runDefectiveRole } from '../defective-role.ts'

await runDefectiveRole('unsigned-segment')
