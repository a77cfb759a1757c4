export { type AdmissionLimits, type AdmissionOptions, type ClientAdmission, createAdmission } from './admission.ts'
