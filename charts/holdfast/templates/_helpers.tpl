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

{{/* The probes of a controller, on its port `health`. */}}
{{- define "holdfast.probes" -}}
startupProbe:
  httpGet:
    path: /livez
    port: health
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet:
    path: /livez
    port: health
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /readyz
    port: health
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{/* Where the pods of a Deployment go: `root` is the chart, `labels` are those of its pods. */}}
{{- define "holdfast.scheduling" -}}
affinity:
  {{- if .root.Values.affinity }}
  {{- toYaml .root.Values.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- toYaml .labels | nindent 14 }}
  {{- end }}
topologySpreadConstraints:
  {{- if .root.Values.topologySpreadConstraints }}
  {{- toYaml .root.Values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- toYaml .labels | nindent 8 }}
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "holdfast.vaultName" -}}
{{- printf "%s-vault" (include "holdfast.fullname" .) }}
{{- end }}

{{/* The Vault controller's pods. */}}
{{- define "holdfast.vaultLabels" -}}
{{ include "holdfast.selectorLabels" . }}
app.kubernetes.io/component: vault-controller
{{- end }}

{{- define "holdfast.vaultServiceAccountName" -}}
{{- default (include "holdfast.vaultName" .) .Values.vault.serviceAccount.name }}
{{- end }}

{{/*
  The rules of a role for one entry of vault.namespaces. What is about named objects takes their names from the entry, and is left out
  where the entry names none: a rule without names would be about all of them.
*/}}
{{- define "holdfast.vaultRules" -}}
{{- $rules := list }}
{{- range $rule := .root.Files.Get (printf "files/rbac/%s.yaml" .role) | fromYamlArray }}
{{- if hasKey $rule "namesFrom" }}
{{- with get $.entry $rule.namesFrom }}
{{- $rules = append $rules (set (omit $rule "namesFrom") "resourceNames" .) }}
{{- end }}
{{- else }}
{{- $rules = append $rules $rule }}
{{- end }}
{{- end }}
{{- with $rules }}
{{- toYaml . }}
{{- end }}
{{- end }}
