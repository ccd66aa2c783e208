// Verifies a log of a hub with nothing of hashshare: only golang.org/x/mod/sumdb/note and tlog, unmodified.
//
//	go_log -key VKEY URL                      everything that the checkpoint at URL vouches for
//	go_log -key VKEY -old FILE URL            and that it extends the older checkpoint in FILE
//	go_log -key VKEY -witness VKEY URL        and that this witness cosigned it
//	go_log -key VKEY -receipt FILE -entry HEX a receipt, offline
//
// It exits with 0 and one line that begins with "ok", or with 1 and the reason.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height       = 8
	maxBody      = 256 * (2 + 65535)
	rootReplaced = "hashshare-root-replaced/1\n"
)

func main() {
	key := flag.String("key", "", "the log's verifier key: name+hash+key; the name is the log's origin")
	old := flag.String("old", "", "file with an older checkpoint of the same log")
	witness := flag.String("witness", "", "verifier key of a witness that must have cosigned the checkpoint")
	receipt := flag.String("receipt", "", "file with a receipt (tlog-proof)")
	entry := flag.String("entry", "", "the receipt's entry, in hexadecimal")
	flag.Parse()
	told, err := run(*key, *old, *witness, *receipt, *entry, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", told)
}

func run(key, old, witness, receipt, entry string, urls []string) (string, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return "", err
	}
	if receipt != "" {
		return checkReceipt(verifier, receipt, entry)
	}
	if len(urls) != 1 {
		return "", errors.New("say the address of one log")
	}
	log := &served{url: strings.TrimSuffix(urls[0], "/"), kept: map[string][]byte{}}
	message, err := log.get("checkpoint")
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(message, verifier)
	if err != nil {
		return "", err
	}
	cosigned := ""
	if witness != "" {
		if cosigned, err = checkCosignature(message, verifier, witness); err != nil {
			return "", err
		}
	}
	tiles, entries, err := checkTree(log, tree)
	if err != nil {
		return "", err
	}
	told := fmt.Sprintf("%s size %d, %d tiles, %d entries", verifier.Name(), tree.N, tiles, entries)
	told += cosigned
	for _, replaced := range log.replaced {
		told += ", root replaced: " + replaced
	}
	if old == "" {
		return told, nil
	}
	earlier, err := checkGrowth(log, tree, old, verifier)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, extends size %d", told, earlier), nil
}

// openCheckpoint returns the tree that the note vouches for, once the key's signature was verified.
func openCheckpoint(message []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: it is of %q", origin)
	}
	// tlog knows checkpoints of Go's own database only: the same lines after another first one.
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	return tree, nil
}

// cosigner verifies cosignatures (c2sp.org/tlog-cosignature, type 0x04), which the note package does not know: the package
// takes it as one verifier more, and sees to names, key hashes and the form of the note.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	at   uint64
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	c.at = binary.BigEndian.Uint64(signature)
	signed := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", c.at)), text...)
	return ed25519.Verify(c.key, signed, signature[8:])
}

// newCosigner reads a witness's verifier key: name+hash+base64(0x04 and the key).
func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("witness: not a verifier key")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 4 {
		return nil, errors.New("witness: not an Ed25519 key that cosigns")
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if hex.EncodeToString(digest[:4]) != parts[1] {
		return nil, errors.New("witness: the hash is not that of the name and key")
	}
	return &cosigner{name: parts[0], hash: binary.BigEndian.Uint32(digest[:4]), key: raw[1:]}, nil
}

// checkCosignature opens the note as both the log's and the witness's.
func checkCosignature(message []byte, verifier note.Verifier, vkey string) (string, error) {
	witness, err := newCosigner(vkey)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(message, note.VerifierList(verifier, witness))
	if err != nil {
		return "", fmt.Errorf("cosignature: %w", err)
	}
	for _, signature := range opened.Sigs {
		if signature.Name == witness.name && signature.Hash == witness.hash {
			return fmt.Sprintf(", cosigned by %s at %d", witness.name, witness.at), nil
		}
	}
	return "", fmt.Errorf("cosignature: %s did not cosign the checkpoint", witness.name)
}

// checkTree builds the tree from the entries alone, and compares root and tiles with what it gives.
//
// tlog.TileHashReader alone would not do: before version 0.40 it believes some tiles unchecked (CVE-2026-56865). So what
// is read through it is only used for proofs, which are checked against the root.
func checkTree(log *served, tree tlog.Tree) (tiles, entries int64, err error) {
	if tree.N == 0 {
		if tree.Hash != tlog.Hash(sha256.Sum256(nil)) {
			return 0, 0, errors.New("the root of an empty log is another one")
		}
		return 0, 0, nil
	}
	var stored hashes
	all := widest(tlog.NewTiles(height, 0, tree.N))
	for _, tile := range all {
		if tile.L == 0 {
			if stored, err = addEntries(log, tile, stored); err != nil {
				return 0, 0, err
			}
		}
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil {
		return 0, 0, err
	}
	if root != tree.Hash {
		return 0, 0, errors.New("the entries do not give the root that was signed")
	}
	for _, tile := range all {
		if err := checkTile(log, tree, stored, tile); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path(tile), err)
		}
	}
	return int64(len(all)), tree.N, nil
}

// widest leaves out the narrower ones of each partial tile, which tlog lists at every width that it had.
func widest(tiles []tlog.Tile) []tlog.Tile {
	var kept []tlog.Tile
	for at, tile := range tiles {
		if at+1 == len(tiles) || tiles[at+1].L != tile.L || tiles[at+1].N != tile.N {
			kept = append(kept, tile)
		}
	}
	return kept
}

// addEntries adds the hashes of the bundle beside a tile of level 0.
func addEntries(log *served, tile tlog.Tile, stored hashes) (hashes, error) {
	index := tile.N << height
	bundle := tlog.Tile{H: tile.H, L: -1, N: tile.N, W: tile.W}
	body, err := log.get(path(bundle))
	if err != nil {
		return nil, err
	}
	count := 0
	for ; len(body) > 0; count++ {
		if len(body) < 2 || len(body)-2 < int(binary.BigEndian.Uint16(body)) {
			return nil, fmt.Errorf("%s: cut off", path(bundle))
		}
		end := 2 + int(binary.BigEndian.Uint16(body))
		if text := string(body[2:end]); strings.HasPrefix(text, rootReplaced) {
			log.replaced = append(log.replaced, strings.Join(strings.Fields(text)[1:], " "))
		}
		added, err := tlog.StoredHashes(index+int64(count), body[2:end], stored)
		if err != nil {
			return nil, err
		}
		stored, body = append(stored, added...), body[end:]
	}
	if count != tile.W {
		return nil, fmt.Errorf("%s: %d entries, not %d", path(bundle), count, tile.W)
	}
	return stored, nil
}

// checkTile compares the tile as served, and for the lowest ones proves their first leaf from tiles as a client would.
func checkTile(log *served, tree tlog.Tree, stored hashes, tile tlog.Tile) error {
	built, err := tlog.ReadTileData(tile, stored)
	if err != nil {
		return err
	}
	given, err := log.get(path(tile))
	if err != nil {
		return err
	}
	if !bytes.Equal(built, given) {
		return errors.New("it is not the one that the entries give")
	}
	if tile.L != 0 {
		return nil
	}
	index := tile.N << height
	proof, err := tlog.ProveRecord(tree.N, index, tlog.TileHashReader(tree, log))
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, stored[tlog.StoredHashIndex(0, index)])
}

// hashes of a tree in the order in which tlog numbers them.
type hashes []tlog.Hash

func (all hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		if index < 0 || index >= int64(len(all)) {
			return nil, errors.New("no such hash")
		}
		found = append(found, all[index])
	}
	return found, nil
}

// checkGrowth proves that the tree extends the one of the checkpoint in the file, whose size it returns.
func checkGrowth(log *served, tree tlog.Tree, file string, verifier note.Verifier) (int64, error) {
	message, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	earlier, err := openCheckpoint(message, verifier)
	if err != nil {
		return 0, err
	}
	if earlier.N > tree.N {
		return 0, fmt.Errorf("the log shrank from %d to %d", earlier.N, tree.N)
	}
	if earlier.N == 0 {
		return 0, nil
	}
	proof, err := tlog.ProveTree(tree.N, earlier.N, tlog.TileHashReader(tree, log))
	if err != nil {
		return 0, err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash); err != nil {
		return 0, fmt.Errorf("the log does not extend the older checkpoint: %w", err)
	}
	return earlier.N, nil
}

// checkReceipt verifies a c2sp.org/tlog-proof against its entry.
func checkReceipt(verifier note.Verifier, file, entry string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	record, err := hex.DecodeString(entry)
	if err != nil {
		return "", err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", errors.New("receipt: not a tlog-proof")
	}
	if strings.HasPrefix(lines[1], "extra ") {
		lines = lines[1:]
	}
	if len(lines) < 2 || !strings.HasPrefix(lines[1], "index ") {
		return "", errors.New("receipt: it has no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return "", err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != sha256.Size {
			return "", errors.New("receipt: a line of the proof is no hash")
		}
		var hash tlog.Hash
		copy(hash[:], raw)
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(checkpoint), verifier)
	if err != nil {
		return "", err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(record)); err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	return fmt.Sprintf("%s holds it as leaf %d of %d", verifier.Name(), index, tree.N), nil
}

// served is a log behind HTTP, as tlog.TileHashReader reads it; each file is fetched once.
type served struct {
	url      string
	kept     map[string][]byte
	replaced []string
}

func (log *served) Height() int { return height }

func (log *served) SaveTiles([]tlog.Tile, [][]byte) {}

func (log *served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := log.get(path(tile))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes", path(tile), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (log *served) get(name string) ([]byte, error) {
	if data, ok := log.kept[name]; ok {
		return data, nil
	}
	response, err := http.Get(log.url + "/" + name)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: HTTP status %d", name, response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err == nil {
		log.kept[name] = data
	}
	return data, err
}

// path is the tile's address by C2SP tlog-tiles: tlog's own has the height too, and calls entries data.
func path(tile tlog.Tile) string {
	name := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(name, "data/", "entries/", 1)
}
