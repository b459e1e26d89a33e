{{/* The chart's name, as a label value. */}}
{{- define "holdfast.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of most objects; short enough for the suffixes that follow it. */}}
{{- define "holdfast.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "holdfast.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* ClusterRoles and their bindings are shared by all namespaces, so their names carry the release's. */}}
{{- define "holdfast.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "holdfast.fullname" .) }}
{{- end }}

{{- define "holdfast.selectorLabels" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The controller's pods; the component keeps the hook's finished pod out of the budget and the Service. */}}
{{- define "holdfast.controllerLabels" -}}
{{ include "holdfast.selectorLabels" . }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "holdfast.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: holdfast
{{- end }}

{{- define "holdfast.serviceAccountName" -}}
{{- default (include "holdfast.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "holdfast.withdrawName" -}}
{{- printf "%s-withdraw" (include "holdfast.fullname" .) }}
{{- end }}

{{- define "holdfast.leaseNamespace" -}}
{{- default .Release.Namespace .Values.controller.leaseNamespace }}
{{- end }}

{{- define "holdfast.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{/* The port of an address such as ":8080" or "[::]:8080". */}}
{{- define "holdfast.port" -}}
{{- splitList ":" . | last }}
{{- end }}

{{/* Pod and container settings that the restricted Pod Security Standard asks for. */}}
{{- define "holdfast.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "holdfast.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The hook's objects live only while the release is being deleted. */}}
{{- define "holdfast.hookAnnotations" -}}
helm.sh/hook: pre-delete
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* Environment shared by the controller and the hook: where the lease is, and how logs look. */}}
{{- define "holdfast.commonEnv" -}}
- name: HOLDFAST_LEASE_NAMESPACE
  value: {{ include "holdfast.leaseNamespace" . | quote }}
- name: HOLDFAST_LOG_FORMAT
  value: {{ .Values.controller.logFormat | quote }}
- name: HOLDFAST_LOG_LEVEL
  value: {{ .Values.controller.logLevel | quote }}
{{- end }}
