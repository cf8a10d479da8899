export { NotificationTemplates, checkTemplate, type Renderer } from './notification-templates.ts'
export { findFiles, readTemplateFiles, type TemplateFile } from './template-files.ts'
