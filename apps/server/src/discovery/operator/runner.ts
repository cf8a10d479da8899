// The operator of the running configuration: started, kept or stopped as the configuration says.
import type { Config, ScrapeConfig } from '../../config/index.ts'
import { reasonOf } from '../context.ts'
import { KubernetesOperator, type OperatorOptions } from './kubernetes-operator.ts'

export interface OperatorRunnerOptions extends Omit<OperatorOptions, 'onJobs'> {
  /** The scrape configs of the monitors changed. */
  readonly onChange: () => void
}

export class OperatorRunner {
  readonly #options: OperatorRunnerOptions
  #operator: KubernetesOperator | undefined
  #key = ''
  #jobs: readonly ScrapeConfig[] = []

  constructor(options: OperatorRunnerOptions) {
    this.#options = options
  }

  /** Scrape configs of a configuration with those of the monitors behind them; names of the file win. */
  merge(config: Config): readonly ScrapeConfig[] {
    if (!config.kubernetesOperator) return config.scrapeConfigs
    const taken = new Set(config.scrapeConfigs.map(({ jobName }) => jobName))
    return [...config.scrapeConfigs, ...this.#jobs.filter(({ jobName }) => !taken.has(jobName))]
  }

  /** Follows a configuration that is in force. */
  apply(config: Config): void {
    const { kubernetesOperator: section } = config
    const key = JSON.stringify(section ?? null)
    if (key === this.#key && this.#operator) {
      this.#operator.reload(config)
      return
    }
    this.#operator?.stop()
    this.#operator = undefined
    this.#key = key
    if (!section) {
      this.#jobs = []
      return
    }
    try {
      this.#operator = new KubernetesOperator(section, config, {
        ...this.#options,
        onJobs: (jobs) => {
          this.#jobs = jobs
          this.#options.onChange()
        },
      })
      this.#operator.start()
    } catch (error) {
      this.#options.logger.error('Cannot follow the monitors of the cluster', { err: reasonOf(error) })
    }
  }

  stop(): void {
    this.#operator?.stop()
    this.#operator = undefined
  }
}
