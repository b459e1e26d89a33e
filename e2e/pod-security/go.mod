// Pins the fixtures of the Pod Security Standards. Nothing is built from it: go.sum says that what was fetched is theirs.
module holdfast.dev/e2e/pod-security

go 1.25

require k8s.io/pod-security-admission v0.37.2
