package android.media;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

import phone.Phone;

public class AudioRecord {
    public static final int ERROR = -1;
    public static final int ERROR_BAD_VALUE = -2;
    public static final int ERROR_INVALID_OPERATION = -3;
    public static final int ERROR_DEAD_OBJECT = -6;
    public static final int STATE_UNINITIALIZED = 0;
    public static final int STATE_INITIALIZED = 1;
    public static final int RECORDSTATE_STOPPED = 1;
    public static final int RECORDSTATE_RECORDING = 3;
    public static final int READ_BLOCKING = 0;
    public static final int READ_NON_BLOCKING = 1;

    private final int source;
    private int state = STATE_UNINITIALIZED;
    private int recordingState = RECORDSTATE_STOPPED;
    private boolean dead;
    private boolean released;

    public AudioRecord(
            int audioSource,
            int sampleRateInHz,
            int channelConfig,
            int audioFormat,
            int bufferSizeInBytes)
            throws IllegalArgumentException {
        source = audioSource;
        if (!Phone.hasRate(sampleRateInHz))
            throw new IllegalArgumentException(sampleRateInHz + "Hz is not a supported sample rate.");
        if (channelConfig != AudioFormat.CHANNEL_IN_MONO
                || audioFormat != AudioFormat.ENCODING_PCM_16BIT
                || bufferSizeInBytes < Phone.minBufferSize)
            throw new IllegalArgumentException("Invalid audio buffer size.");
        Phone.born();
        Phone.wrote("new AudioRecord " + audioSource + " " + sampleRateInHz + " " + bufferSizeInBytes);
        if (Phone.granted && !Phone.busy && Phone.hasSource(audioSource)) state = STATE_INITIALIZED;
    }

    public static int getMinBufferSize(int sampleRateInHz, int channelConfig, int audioFormat) {
        if (!Phone.hasRate(sampleRateInHz)) return ERROR_BAD_VALUE;
        return Phone.minBufferSize;
    }

    public int getState() {
        return state;
    }

    public int getRecordingState() {
        return recordingState;
    }

    public int getAudioSource() {
        return source;
    }

    public void startRecording() throws IllegalStateException {
        synchronized (Phone.LOCK) {
            if (state != STATE_INITIALIZED)
                throw new IllegalStateException(
                        "startRecording() called on an uninitialized AudioRecord.");
            Phone.wrote("startRecording");
            if (Phone.refusedStarts > 0) Phone.refusedStarts--;
            else recordingState = RECORDSTATE_RECORDING;
        }
    }

    public void stop() throws IllegalStateException {
        synchronized (Phone.LOCK) {
            if (state != STATE_INITIALIZED)
                throw new IllegalStateException("stop() called on an uninitialized AudioRecord.");
            if (recordingState == RECORDSTATE_RECORDING) Phone.wrote("stop");
            recordingState = RECORDSTATE_STOPPED;
            Phone.LOCK.notifyAll();
        }
    }

    public void release() {
        synchronized (Phone.LOCK) {
            if (released) return;
            released = true;
            state = STATE_UNINITIALIZED;
            recordingState = RECORDSTATE_STOPPED;
            Phone.wrote("release");
            Phone.died();
            Phone.LOCK.notifyAll();
        }
    }

    public int read(ByteBuffer audioBuffer, int sizeInBytes) {
        if (!audioBuffer.isDirect()) return 0;
        byte[] bytes = new byte[sizeInBytes];
        int count = read(bytes, 0, sizeInBytes);
        if (count > 0) {
            ByteBuffer whole = audioBuffer.duplicate();
            whole.clear();
            whole.put(bytes, 0, count);
        }
        return count;
    }

    public int read(ByteBuffer audioBuffer, int sizeInBytes, int readMode) {
        Phone.since(23);
        return read(audioBuffer, sizeInBytes);
    }

    public int read(byte[] audioData, int offsetInBytes, int sizeInBytes) {
        synchronized (Phone.LOCK) {
            if (state != STATE_INITIALIZED) return ERROR_INVALID_OPERATION;
            int code = Phone.nextRead();
            if (code == ERROR_DEAD_OBJECT) dead = true;
            if (dead) return ERROR_DEAD_OBJECT;
            if (code != 0) return code;
            int wanted = Math.min(sizeInBytes, Phone.longestRead);
            while (recordingState == RECORDSTATE_RECORDING && Phone.available() < wanted) {
                try {
                    Phone.LOCK.wait();
                } catch (InterruptedException interrupted) {
                    return 0;
                }
            }
            if (state != STATE_INITIALIZED) return ERROR_INVALID_OPERATION;
            int count = Math.min(wanted, Phone.available());
            System.arraycopy(Phone.take(count), 0, audioData, offsetInBytes, count);
            return count;
        }
    }

    public int read(byte[] audioData, int offsetInBytes, int sizeInBytes, int readMode) {
        Phone.since(23);
        return read(audioData, offsetInBytes, sizeInBytes);
    }

    public int read(short[] audioData, int offsetInShorts, int sizeInShorts) {
        byte[] bytes = new byte[2 * sizeInShorts];
        int count = read(bytes, 0, bytes.length);
        if (count <= 0) return count;
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.nativeOrder())
                .asShortBuffer()
                .get(audioData, offsetInShorts, count / 2);
        return count / 2;
    }

    public int read(short[] audioData, int offsetInShorts, int sizeInShorts, int readMode) {
        Phone.since(23);
        return read(audioData, offsetInShorts, sizeInShorts);
    }

    public AudioDeviceInfo getRoutedDevice() {
        Phone.since(23);
        return recordingState == RECORDSTATE_RECORDING ? new AudioDeviceInfo() : null;
    }

    public AudioRecordingConfiguration getActiveRecordingConfiguration() {
        Phone.since(24);
        return recordingState == RECORDSTATE_RECORDING ? new AudioRecordingConfiguration() : null;
    }
}
