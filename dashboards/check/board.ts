// What relaylens.json has to be: a dashboard by Grafana's types, with the options of
// each kind of panel by the types of that panel.
import type { AnnotationQuery, Dashboard, FieldConfig, Panel, RowPanel, VariableModel } from "./node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen";
import type * as stat from "./node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen";
import type * as table from "./node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen";
import type * as timeseries from "./node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen";

// The Prometheus plugin's, which the package has not.
type Source = { type: "prometheus"; uid: string };
type Query = {
  refId: string;
  datasource: Source;
  expr: string;
  legendFormat: string;
  editorMode: "code";
  range: boolean;
  instant?: boolean;
  format?: "time_series" | "table";
};
type Annotation = Omit<AnnotationQuery, "datasource"> & {
  datasource: Source;
  expr: string;
  step: string;
  tagKeys: string;
  textFormat: string;
  titleFormat: string;
};

type Of<Type extends string, Options, Custom> = Omit<Panel, "type" | "options" | "fieldConfig" | "targets" | "datasource"> & {
  type: Type;
  title: string;
  datasource: Source;
  targets: Query[];
  options: Options;
  fieldConfig: { defaults: Omit<FieldConfig, "custom"> & { custom?: Partial<Custom> }; overrides: [] };
};

/** @discriminator type */
type Any =
  | RowPanel
  | Of<"stat", Partial<stat.Options>, {}>
  | Of<"table", Partial<table.Options>, table.FieldConfig>
  | Of<"timeseries", timeseries.Options, timeseries.FieldConfig>;

// The list of variables that Grafana shows reads definition.
type Variable = VariableModel & { definition?: string };

export type Board = Omit<Dashboard, "panels" | "annotations" | "templating"> & {
  panels: Any[];
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
};
