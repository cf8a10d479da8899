export {
  createDashboardsApp,
  startDashboards,
  type DashboardsOptions,
  type RunningDashboards,
} from './start.ts'
export { ProvisioningError } from './provisioning/yaml-file.ts'
