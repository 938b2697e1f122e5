package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is a certificate authority that signs the certificates of one cluster.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makeKeys writes the keys and certificates of an API server into a folder:
//
//	ca.crt               the cluster's certificate authority; its key is discarded
//	apiserver.*          the serving certificate, for the addresses given
//	kubelet-client.*     the client certificate for calls to the kubelet
//	accounts.key, .pub   the key pair that signs service account tokens: RSA, as on GKE
func makeKeys(arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("usage: cluster-keys FOLDER ADDRESS…")
	}
	folder := arguments[0]
	ca, err := newAuthority(folder)
	if err != nil {
		return err
	}
	serving := template("kube-apiserver", x509.ExtKeyUsageServerAuth)
	serving.DNSNames = []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local",
	}
	for _, address := range arguments[1:] {
		serving.IPAddresses = append(serving.IPAddresses, net.ParseIP(address))
	}
	if err := ca.issue(folder, "apiserver", serving); err != nil {
		return err
	}
	client := template("kube-apiserver-kubelet-client", x509.ExtKeyUsageClientAuth)
	if err := ca.issue(folder, "kubelet-client", client); err != nil {
		return err
	}
	accounts, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(accounts.Public())
	if err != nil {
		return err
	}
	if err := write(folder, "accounts.pub", "PUBLIC KEY", public); err != nil {
		return err
	}
	return writeKey(folder, "accounts.key", accounts)
}

func newAuthority(folder string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	self := template("sidestep test cluster")
	self.IsCA = true
	self.BasicConstraintsValid = true
	self.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, self, self, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{certificate, key}, write(folder, "ca.crt", "CERTIFICATE", der)
}

func template(name string, usages ...x509.ExtKeyUsage) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  usages,
	}
}

func (ca *authority) issue(folder, name string, leaf *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return err
	}
	if err := write(folder, name+".crt", "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(folder, name+".key", key)
}

func writeKey(folder, name string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return write(folder, name, "PRIVATE KEY", der)
}

func write(folder, name, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return os.WriteFile(filepath.Join(folder, name), text, 0o600)
}
