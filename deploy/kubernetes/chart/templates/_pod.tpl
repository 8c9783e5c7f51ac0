{{/* What the standard "restricted" wants of a pod, and of each container. */}}
{{- define "conflictwire.pod.security" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "conflictwire.container.security" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Of the daemon and of the job. */}}
{{- define "conflictwire.pod.common" -}}
serviceAccountName: {{ include "conflictwire.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "conflictwire.pod.security" . | nindent 2 }}
{{- end -}}

{{- define "conflictwire.mounts" -}}
# A folder, not single files with subPath: only so do changes of the ConfigMap arrive.
- {name: configuration, mountPath: /etc/conflictwire, readOnly: true}
{{- if and (eq .Values.ledger "kafka") .Values.kafka.secret.name }}
- {name: kafka, mountPath: /run/secrets/conflictwire, readOnly: true}
{{- end }}
{{- end -}}

{{- define "conflictwire.volumes" -}}
- name: configuration
  configMap: {name: {{ include "conflictwire.name" . }}}
{{- if and (eq .Values.ledger "kafka") .Values.kafka.secret.name }}
- name: kafka
  secret: {secretName: {{ .Values.kafka.secret.name }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{/* The template of the daemon's pod, for a StatefulSet or a Deployment. */}}
{{- define "conflictwire.pod" -}}
metadata:
  labels:
    {{- include "conflictwire.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: conflictwire
    {{- if not .Values.reload.enabled }}
    # Another configuration is another pod.
    conflictwire/configuration: {{ printf "%s\n%s" (include "conflictwire.configuration" .) .Values.feeds | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "conflictwire.pod.common" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- if .Values.reload.enabled }}
  shareProcessNamespace: true
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and .Values.topologySpread (eq .Values.ledger "kafka") }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "conflictwire.selector" $ | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  containers:
    - name: conflictwire
      image: {{ include "conflictwire.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [run, --config, /etc/conflictwire/conflictwire.toml]
      env:
        # The image says so too. Variables override the file, so the port stands in one place.
        - {name: CONFLICTWIRE__ADMIN__LISTEN, value: {{ printf "%s:9273" .Values.listenAddress | quote }}}
        {{- if eq .Values.ledger "kafka" }}
        # Replicas tell each other where they are, so that any of them sends whoever asks to the one that knows.
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: CONFLICTWIRE__ADMIN__ADVERTISE, value: "$(POD_IP):9273"}
        {{- end }}
        - {name: STATE_DIRECTORY, value: /var/lib/conflictwire}
      ports:
        - {name: admin, containerPort: 9273}
      # A newer version may have to migrate a large ledger first: five minutes.
      startupProbe:
        httpGet: {path: /livez, port: admin}
        periodSeconds: 2
        failureThreshold: 150
      # It does not ask whether Kafka answers: a restart would not mend that.
      livenessProbe:
        httpGet: {path: /livez, port: admin}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      resources: {{- toYaml .Values.resources | nindent 8 }}
      securityContext: {{- include "conflictwire.container.security" . | nindent 8 }}
      volumeMounts:
        {{- include "conflictwire.mounts" . | nindent 8 }}
        - {name: state, mountPath: /var/lib/conflictwire}
    {{- if .Values.reload.enabled }}
    - name: reload
      image: {{ .Values.reload.image }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [/bin/sh, /reload/reload.sh, /etc/conflictwire, "10"]
      resources:
        requests: {cpu: 5m, memory: 16Mi, ephemeral-storage: 1Mi}
        limits: {memory: 16Mi, ephemeral-storage: 16Mi}
      securityContext: {{- include "conflictwire.container.security" . | nindent 8 }}
      volumeMounts:
        - {name: configuration, mountPath: /etc/conflictwire, readOnly: true}
        - {name: reload, mountPath: /reload, readOnly: true}
    {{- end }}
  volumes:
    {{- include "conflictwire.volumes" . | nindent 4 }}
    {{- if eq .Values.ledger "kafka" }}
    # For lists of feeds by URL: fetched anew by each pod. All else is in the topics.
    - name: state
      emptyDir: {sizeLimit: 64Mi}
    {{- end }}
    {{- if .Values.reload.enabled }}
    - name: reload
      configMap: {name: {{ include "conflictwire.name" . }}-reload}
    {{- end }}
{{- end -}}
